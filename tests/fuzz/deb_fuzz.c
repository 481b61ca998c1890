/* SPDX-License-Identifier: MIT */
/* A .deb, from its ar header to the last entry of its data, staged into a
 * temporary directory; and control paragraphs alone. */

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>

#include "builder/rootfs/package/stage.h"
#include "lib/io.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/deb/*.deb", NULL};
static const char *const fuzz_words[] = {"!<arch>\n",
					 "debian-binary",
					 "control.tar",
					 "data.tar",
					 "`\n",
					 "./",
					 "../",
					 "/",
					 "//",
					 "ustar",
					 "ustar  ",
					 "0000644",
					 "77777777777",
					 "\x80",
					 "1",
					 "2",
					 "5",
					 "L",
					 "x",
					 "Package: ",
					 "Version: ",
					 "(>= ",
					 ")",
					 "|",
					 ",",
					 "\n ",
					 "remove-on-upgrade ",
					 "interest ",
					 "activate ",
					 NULL};

#include "tests/fuzz/driver.h"

/* Without correct checksums the parser would refuse nearly every header. */
static void mend_checksums(uint8_t *data, size_t size)
{
	for (size_t at = 257; at + 255 <= size; at++) {
		if (memcmp(data + at, "ustar", 5) != 0)
			continue;
		uint8_t *header = data + at - 257;
		unsigned sum = 0;
		memset(header + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += header[i];
		char text[8];
		(void)snprintf(text, sizeof(text), "%06o", sum & 0777777);
		memcpy(header + 148, text, 7);
	}
}

static char directory_path[] = "/tmp/mkv-fuzz-deb-XXXXXX";

static void remove_directory(void)
{
	struct mkv_error err;
	(void)!mkv_remove_tree(AT_FDCWD, directory_path, &err);
}

static int directory_fd(void)
{
	static int fd = -1;
	if (fd < 0 && mkdtemp(directory_path)) {
		fd = open(directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)atexit(remove_directory);
	}
	return fd;
}

static int anonymous(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	int fd = memfd_create("deb", MFD_CLOEXEC);
	if (fd < 0 || mkv_pwrite_all(fd, data, size, 0, &err) < 0)
		abort();
	return fd;
}

static void read_relations(const char *text)
{
	struct mkv_relation relation;
	char separator;
	while (mkv_relation_next(&text, &relation, &separator))
		(void)mkv_relation_holds(&relation, "hello", "1:1.0-1");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err = {0};
	struct mkv_control control = {0};
	if (mkv_control_parse((const char *)data, size, &control, &err) == 0) {
		for (size_t i = 0; i < control.count; i++)
			read_relations(control.fields[i].value);
		(void)mkv_version_compare(control.version, "1:1.0-1");
		mkv_control_done(&control);
	}
	uint8_t *mended = malloc(size + 1);
	if (!mended)
		return 0;
	memcpy(mended, data, size);
	mend_checksums(mended, size);
	auto_fd int deb = anonymous(mended, size);
	free(mended);
	struct mkv_package package = {0};
	if (mkv_package_read(deb, &package, &err) == 0) {
		(void)!mkv_package_stage(&package, deb, directory_fd(), 1 << 20,
					 false, &err);
		for (size_t i = 0; i < package.n_entries; i++) {
			char name[24];
			(void)snprintf(name, sizeof(name), "%zu", i);
			(void)unlinkat(directory_fd(), name, 0);
		}
		mkv_package_done(&package);
	}
	return 0;
}

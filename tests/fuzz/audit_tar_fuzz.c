/* SPDX-License-Identifier: MIT */
/* The audit's readers of a disk's contents: tar streams and PE sections. */
#include <sys/mman.h>

#include "builder/evidence/audit/table.h"
#include "builder/evidence/audit/uki.h"
#include "lib/io.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/tar/*.tar", NULL};
static const char *const fuzz_words[] = {
	"ustar", "30 mtime=1.5\n", "SCHILY.xattr.",
	"path=", "linkpath=",	   "size=",
	"../",	 "././@LongLink",  "\x80\0\0\0\1",
	"MZ",	 ".cmdline",	   "PE",
	NULL};

#include "tests/fuzz/driver.h"

/* A wrong checksum would end the parser at once: write the correct one. */
static void mend_checksums(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + 512 <= size; at += 512) {
		unsigned sum = 8 * ' ';
		char text[8];
		if (memcmp(data + at + 257, "ustar", 5) != 0)
			continue;
		for (size_t i = 0; i < 512; i++)
			if (i < 148 || i >= 156)
				sum += data[at + i];
		(void)snprintf(text, sizeof(text), "%06o", sum);
		memcpy(data + at + 148, text, 7);
	}
}

static void read_tar(int fd)
{
	struct mkv_error err;
	static const char *const nothing[] = {NULL};
	struct mkv_audit_capture capture = {.path = "/a", .limit_bytes = 64};
	auto_audit_table struct mkv_audit_table table = {0};
	auto_audit_report struct mkv_audit_report report = {0};
	if (lseek(fd, 0, SEEK_SET) == 0 &&
	    mkv_audit_table_from_tar(fd, &table, &capture, 1, NULL, &err) == 0)
		mkv_audit_table_compare(&table, &table, nothing, "x", &report);
	/* Times with fractions compare as different, even from themselves. */
	for (size_t i = 0; i < report.n_findings; i++)
		if (!strstr(report.findings[i].text, "fraction"))
			abort();
	mkv_buf_done(&capture.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	struct mkv_audit_section section;
	static uint8_t mended[FUZZ_INPUT_MAX];
	auto_fd int fd = memfd_create("tar", MFD_CLOEXEC);
	if (size > sizeof(mended))
		return 0;
	memcpy(mended, data, size);
	mend_checksums(mended, size);
	if (mkv_pwrite_all(fd, mended, size, 0, &err) < 0)
		abort();
	read_tar(fd);
	if (mkv_audit_uki_section((const char *)data, size, ".cmdline",
				  &section, &err) == 0 &&
	    section.data &&
	    ((const uint8_t *)section.data < data ||
	     (size_t)((const uint8_t *)section.data - data) + section.size >
		     size))
		abort();
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "builder/rootfs/package/stage.h"
#include "builder/rootfs/package/untar.h"
#include "lib/io.h"

struct member {
	const char *path;
	mode_t mode;	    /* with its type; 0 for a hard link */
	const char *target; /* of a link */
	const char *data;
	int64_t uid;
};

static struct mkv_buf make_tar(const struct member *members, size_t count,
			       bool xz)
{
	enum { ROOM = 4 << 20 };
	struct mkv_buf tar = {0};
	size_t used = 0;
	char *room = malloc(ROOM);
	struct archive *archive = archive_write_new();
	assert_non_null(room);
	archive_write_set_format_gnutar(archive);
	if (xz)
		archive_write_add_filter_xz(archive);
	archive_write_open_memory(archive, room, ROOM, &used);
	for (size_t i = 0; i < count; i++) {
		const struct member *m = &members[i];
		size_t size = m->data ? strlen(m->data) : 0;
		struct archive_entry *entry = archive_entry_new();
		archive_entry_set_pathname(entry, m->path);
		archive_entry_set_mode(entry,
				       m->mode ? m->mode : S_IFREG | 0644);
		archive_entry_set_uid(entry, m->uid);
		archive_entry_set_mtime(entry, 1000000000, 0);
		archive_entry_set_size(entry, (int64_t)size);
		if (m->target && S_ISLNK(m->mode))
			archive_entry_set_symlink(entry, m->target);
		else if (m->target)
			archive_entry_set_hardlink(entry, m->target);
		assert_int_equal(archive_write_header(archive, entry), 0);
		if (size)
			archive_write_data(archive, m->data, size);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(archive), 0);
	archive_write_free(archive);
	mkv_buf_add(&tar, room, used);
	free(room);
	return tar;
}

static void add_ar(struct mkv_buf *deb, const char *name,
		   const struct mkv_buf *data)
{
	mkv_buf_printf(deb, "%-16s%-12d%-6d%-6d%-8o%-10zu`\n", name, 0, 0, 0,
		       0100644, data->size);
	mkv_buf_add(deb, data->data, data->size);
	if (data->size & 1)
		mkv_buf_char(deb, '\n');
}

static int as_file(const struct mkv_buf *bytes)
{
	struct mkv_error err;
	int fd = memfd_create("test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(mkv_pwrite_all(fd, bytes->data, bytes->size, 0, &err),
			 0);
	return fd;
}

static const char control_text[] = "Package: hello\n"
				   "Version: 1:2.0-1\n"
				   "Architecture: amd64\n"
				   "Description: greets\n more\n .\n text\n";

static int make_deb(const struct member *members, size_t count,
		    const char *conffiles)
{
	static const char version[] = "2.0\n";
	auto_buf struct mkv_buf deb = {0};
	const struct member control[] = {
		{"./", S_IFDIR | 0755, NULL, NULL, 0},
		{"./control", S_IFREG | 0644, NULL, control_text, 0},
		{"./postinst", S_IFREG | 0775, NULL, "#!/bin/sh\n", 0},
		{"./conffiles", S_IFREG | 0644, NULL, conffiles, 0},
	};
	auto_buf struct mkv_buf control_tar =
		make_tar(control, conffiles ? 4 : 3, true);
	auto_buf struct mkv_buf data_tar = make_tar(members, count, true);
	struct mkv_buf first = {.data = (char *)version, .size = 4};
	mkv_buf_str(&deb, "!<arch>\n");
	add_ar(&deb, "debian-binary", &first);
	add_ar(&deb, "control.tar.xz", &control_tar);
	add_ar(&deb, "data.tar.xz", &data_tar);
	return as_file(&deb);
}

static char directory[] = "/tmp/mkv-stage-test-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	struct mkv_error err;
	int rc = mkv_remove_tree(AT_FDCWD, directory, &err);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
	return rc;
}

static int stage_members(const struct member *members, size_t count,
			 const char *conffiles, struct mkv_package *package,
			 struct mkv_error *err)
{
	auto_fd int deb = make_deb(members, count, conffiles);
	auto_fd int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = mkv_package_read(deb, package, err);
	if (rc == 0)
		rc = mkv_package_stage(package, deb, at, 1 << 20, false, err);
	return rc;
}

static void a_package_is_parsed_and_staged(void **state)
{
	(void)state;
	static const struct member members[] = {
		{"./", S_IFDIR | 0755, NULL, NULL, 0},
		{"./etc/", S_IFDIR | 0755, NULL, NULL, 0},
		{"./etc/hello", S_IFREG | 0644, NULL, "conf", 0},
		{"./usr/", S_IFDIR | 0755, NULL, NULL, 0},
		{"./usr/b\xc5\x91", S_IFREG | 04755, NULL, "program", 0},
		{"./usr/c", 0, "./usr/b\xc5\x91", NULL, 0},
		{"./usr/d", S_IFLNK | 0777, "/etc/../etc", NULL, 0},
	};
	struct mkv_error err = {0};
	struct mkv_package package = {0};
	assert_int_equal(
		stage_members(members, 7, "/etc/hello\n", &package, &err), 0);
	assert_string_equal(package.control.package, "hello");
	assert_string_equal(package.control.version, "1:2.0-1");
	assert_string_equal(mkv_control_get(&package.control, "description"),
			    "greets\n more\n .\n text");
	assert_int_equal(mkv_package_file(&package, "postinst")->permissions,
			 0755);
	assert_int_equal(package.n_entries, 7);
	assert_string_equal(package.entries[0].path, "/");
	assert_true(package.entries[2].is_conffile);
	assert_string_equal(package.entries[4].path, "/usr/b\xc5\x91");
	assert_int_equal(package.entries[4].mode, S_IFREG | 04755);
	assert_true(package.entries[5].is_hardlink);
	assert_string_equal(package.entries[6].target, "/etc/../etc");
	struct stat a, b;
	auto_fd int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fstatat(at, "4", &a, 0), 0);
	assert_int_equal(fstatat(at, "5", &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(a.st_size, 7);
	assert_int_equal(a.st_mode, S_IFREG | 04755);
	assert_int_equal(a.st_mtime, 1000000000);
	assert_int_equal(faccessat(at, "6", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	mkv_package_done(&package);
}

#define FILE_AT(path) ((struct member){path, S_IFREG | 0644, NULL, "x", 0})
static const struct {
	const char *what;
	struct member members[3];
	size_t count;
	const char *message;
} hostile[] = {
	{"parent", {FILE_AT("../x")}, 1, "'..' component"},
	{"parent inside", {FILE_AT("./a/../../x")}, 1, "'..' component"},
	{"parent at the end", {FILE_AT("./a/..")}, 1, "'..' component"},
	{"absolute", {FILE_AT("/etc/passwd")}, 1, "absolute path"},
	{"empty component", {FILE_AT("./a//b")}, 1, "empty component"},
	{"dot inside", {FILE_AT("./a/./b")}, 1, "empty component"},
	{"the root as a file",
	 {{".", S_IFREG | 0644, NULL, NULL, 0}},
	 1,
	 "the root must be a directory"},
	{"a link and a file through it",
	 {{"./a", S_IFLNK | 0777, "/etc", NULL, 0}, FILE_AT("./a/passwd")},
	 2,
	 "a parent in the package is not a directory"},
	{"a file and a file through it",
	 {FILE_AT("./a"), FILE_AT("./a/b/c")},
	 2,
	 "a parent in the package is not a directory"},
	{"a path twice", {FILE_AT("./a"), FILE_AT("a")}, 2, "duplicate path"},
	{"a file over a link",
	 {{"./a", S_IFLNK | 0777, "/etc/passwd", NULL, 0}, FILE_AT("./a")},
	 2,
	 "duplicate path"},
	{"a hard link to outside",
	 {{"./a", 0, "/etc/shadow", NULL, 0}},
	 1,
	 "absolute path"},
	{"a hard link to another package's file",
	 {{"./a", 0, "./etc/shadow", NULL, 0}},
	 1,
	 "not an earlier regular file of the package"},
	{"a hard link to itself",
	 {{"./a", 0, "./a", NULL, 0}},
	 1,
	 "not an earlier regular file of the package"},
	{"a hard link to a link",
	 {{"./a", S_IFLNK | 0777, "/etc/shadow", NULL, 0},
	  {"./b", 0, "./a", NULL, 0}},
	 2,
	 "not an earlier regular file of the package"},
	{"a character device",
	 {{"./a", S_IFCHR | 0666, NULL, NULL, 0}},
	 1,
	 "device, FIFO or socket"},
	{"a block device",
	 {{"./a", S_IFBLK | 0666, NULL, NULL, 0}},
	 1,
	 "device, FIFO or socket"},
	{"a FIFO", {{"./a", S_IFIFO | 0666, NULL, NULL, 0}}, 1, "FIFO"},
	{"an owner too high",
	 {{"./a", S_IFREG | 0644, NULL, "x", 65536}},
	 1,
	 "owner id over 65535"},
};

static void hostile_packages_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		struct mkv_error err = {0};
		struct mkv_package package = {0};
		assert_int_equal(make_directory(NULL), 0);
		int rc = stage_members(hostile[i].members, hostile[i].count,
				       NULL, &package, &err);
		if (rc != -EBADMSG || err.kind != MKV_UNVERIFIED ||
		    !strstr(err.message, hostile[i].message))
			fail_msg("%s: %d '%s'", hostile[i].what, rc,
				 err.message);
		mkv_package_done(&package);
		assert_int_equal(remove_directory(NULL), 0);
	}
}

static void names_that_are_too_long_are_refused(void **state)
{
	(void)state;
	char path[300] = "./";
	memset(path + 2, 'a', 256);
	struct member member = FILE_AT(path);
	struct mkv_error err = {0};
	struct mkv_package package = {0};
	assert_int_equal(stage_members(&member, 1, NULL, &package, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "too long"));
	mkv_package_done(&package);
}

static void conffiles_must_be_paths(void **state)
{
	(void)state;
	struct member member = FILE_AT("./a");
	struct mkv_error err = {0};
	struct mkv_package package = {0};
	assert_int_equal(
		stage_members(&member, 1, "etc/hello\n", &package, &err),
		-EBADMSG);
	assert_int_equal(stage_members(&member, 1, "/etc/x\n/y newconffile\n",
				       &package, &err),
			 -EBADMSG);
}

static int untar(const struct mkv_buf *tar, struct mkv_untar_limits limits,
		 struct mkv_error *err)
{
	auto_fd int fd = as_file(tar);
	auto_fd int sink = memfd_create("sink", MFD_CLOEXEC);
	auto_untar struct mkv_untar *untar = NULL;
	int rc = mkv_untar_open(fd, 0, tar->size, &limits, &untar, err);
	struct mkv_untar_entry entry;
	while (rc == 0 && (rc = mkv_untar_next(untar, &entry, err)) > 0)
		rc = mkv_untar_extract(untar, sink, err);
	return rc;
}

static void decompression_bombs_end_at_the_limits(void **state)
{
	(void)state;
	enum { SIZE = 3 << 20 };
	char *zeros = malloc(SIZE + 1);
	assert_non_null(zeros);
	memset(zeros, '0', SIZE);
	zeros[SIZE] = '\0';
	const struct member members[] = {
		{"./a", S_IFREG | 0644, NULL, zeros, 0},
		{"./b", S_IFREG | 0644, NULL, "b", 0},
		{"./c", S_IFREG | 0644, NULL, "c", 0},
	};
	auto_buf struct mkv_buf tar = make_tar(members, 3, true);
	struct mkv_error err = {0};
	assert_true(tar.size < 10000);
	struct mkv_untar_limits all = {SIZE + 2, 3}, few_bytes = {SIZE + 1, 3},
				few_entries = {SIZE + 2, 2};
	assert_int_equal(untar(&tar, all, &err), 0);
	assert_int_equal(untar(&tar, few_bytes, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "total size over the limit"));
	assert_int_equal(untar(&tar, few_entries, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "too many entries"));
	free(zeros);
}

/* A header with a size far above that of the archive. */
static void wrong_sizes_are_refused(void **state)
{
	(void)state;
	const struct member member = FILE_AT("./a");
	auto_buf struct mkv_buf tar = make_tar(&member, 1, false);
	static const char *const sizes[] = {"77777777777", "00000077777"};
	for (size_t i = 0; i < 2; i++) {
		unsigned sum = 0;
		memcpy(tar.data + 124, sizes[i], 11);
		memset(tar.data + 148, ' ', 8);
		for (size_t j = 0; j < 512; j++)
			sum += (unsigned char)tar.data[j];
		(void)snprintf(tar.data + 148, 8, "%06o", sum);
		tar.data[155] = ' ';
		struct mkv_error err = {0};
		struct mkv_untar_limits limits = {1 << 20, 10};
		assert_int_equal(untar(&tar, limits, &err), -EBADMSG);
	}
}

static void damaged_debs_are_refused(void **state)
{
	(void)state;
	const struct member member = FILE_AT("./a");
	auto_fd int deb = make_deb(&member, 1, NULL);
	auto_buf struct mkv_buf whole = {0};
	struct mkv_error err = {0};
	assert_int_equal(mkv_read_fd(deb, 1 << 20, &whole, &err), 0);
	lseek(deb, 0, SEEK_SET);
	assert_int_equal(mkv_read_fd(deb, 1 << 20, &whole, &err), 0);
	for (size_t size = 0; size < whole.size - 8; size += 7) {
		struct mkv_buf part = {.data = whole.data, .size = size};
		auto_fd int fd = as_file(&part);
		auto_fd int at = open(directory, O_RDONLY | O_DIRECTORY);
		struct mkv_package package = {0};
		int rc = mkv_package_read(fd, &package, &err);
		if (rc == 0)
			rc = mkv_package_stage(&package, fd, at, 1 << 20, false,
					       &err);
		if (rc >= 0)
			fail_msg("%zu of %zu bytes are accepted", size,
				 whole.size);
		mkv_package_done(&package);
		(void)unlinkat(at, "0", 0);
	}
}

static void deb_members_must_be_in_order(void **state)
{
	(void)state;
	static const char *const orders[][3] = {
		{"control.tar", "debian-binary", "data.tar"},
		{"debian-binary", "data.tar", "control.tar"},
		{"debian-binary", "control.tar", "control.tar"},
		{"debian-binary", "control.tarx", "data.tar"},
	};
	struct mkv_buf body = {.data = (char *)"2.0\n", .size = 4};
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		auto_buf struct mkv_buf text = {0};
		mkv_buf_str(&text, "!<arch>\n");
		for (size_t j = 0; j < 3; j++)
			add_ar(&text, orders[i][j], &body);
		auto_fd int fd = as_file(&text);
		struct mkv_deb deb;
		struct mkv_error err = {0};
		assert_int_equal(mkv_deb_read(fd, &deb, &err), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_package_is_parsed_and_staged,
						make_directory,
						remove_directory),
		cmocka_unit_test(hostile_packages_are_refused),
		cmocka_unit_test_setup_teardown(
			names_that_are_too_long_are_refused, make_directory,
			remove_directory),
		cmocka_unit_test_setup_teardown(conffiles_must_be_paths,
						make_directory,
						remove_directory),
		cmocka_unit_test(decompression_bombs_end_at_the_limits),
		cmocka_unit_test(wrong_sizes_are_refused),
		cmocka_unit_test_setup_teardown(damaged_debs_are_refused,
						make_directory,
						remove_directory),
		cmocka_unit_test(deb_members_must_be_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

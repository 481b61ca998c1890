/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "lib/io.h"

static char directory[] = "/tmp/mkv-io-test-XXXXXX";
static int directory_fd = -1;

static int set_up(void **state)
{
	(void)state;
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
	if (!mkdtemp(directory))
		return -1;
	directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return directory_fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	struct mkv_error err;
	(void)close(directory_fd);
	return mkv_remove_tree(AT_FDCWD, directory, &err);
}

static const char *in_directory(const char *name)
{
	static char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static size_t count_entries(void)
{
	auto_dir DIR *dir = opendir(directory);
	size_t count = 0;
	while (readdir(dir))
		count++;
	return count - 2;
}

static void assert_holds(const char *name, const char *expected)
{
	struct mkv_error err;
	auto_buf struct mkv_buf text = {0};
	assert_int_equal(mkv_read_file(directory_fd, name, 1000, &text, &err),
			 0);
	assert_string_equal(text.data, expected);
}

static void reads_have_a_limit(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_fd int fd = memfd_create("io", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 200000), 0);
	static const struct {
		size_t limit;
		int rc;
	} rows[] = {{200000, 0},
		    {200001, 0},
		    {199999, -EFBIG},
		    {0, -EFBIG},
		    {65536, -EFBIG}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_buf struct mkv_buf text = {0};
		mkv_buf_str(&text, "before");
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(mkv_read_fd(fd, rows[i].limit, &text, &err),
				 rows[i].rc);
		assert_int_equal(text.size, rows[i].rc ? 6 : 200000);
	}
	assert_string_equal(err.message,
			    "larger than the limit of 65536 bytes");
}

static void a_missing_file_is_named(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf text = {0};
	assert_int_equal(mkv_read_file(directory_fd, "none", 10, &text, &err),
			 -ENOENT);
	assert_string_equal(err.message,
			    "open 'none': No such file or directory");
	assert_true(mkv_read_file(directory_fd, ".", 10, &text, &err) < 0);
	assert_string_equal(err.message, "'.': read: Is a directory");
}

static void early_ends_are_errors(void **state)
{
	(void)state;
	struct mkv_error err;
	char into[10];
	auto_fd int fd = memfd_create("io", MFD_CLOEXEC);
	assert_int_equal(mkv_pwrite_all(fd, "12345", 5, 2, &err), 0);
	assert_int_equal(mkv_pread_all(fd, into, 7, 0, &err), 0);
	assert_memory_equal(into,
			    "\0\0"
			    "12345",
			    7);
	assert_int_equal(mkv_pread_all(fd, into, 8, 0, &err), -EIO);
	assert_string_equal(err.message, "file ends 1 bytes early");
}

static void full_devices_are_errors(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		skip();
	assert_int_equal(mkv_write_all(fd, "x", 1, &err), -ENOSPC);
	assert_string_equal(err.message, "write: No space left on device");
}

static void ranges_are_copied_across_kinds_of_files(void **state)
{
	(void)state;
	struct mkv_error err;
	static char data[600000], got[600000];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 31 >> 3);
	auto_fd int memory = memfd_create("io", MFD_CLOEXEC);
	auto_fd int disk =
		open(in_directory("disk"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	auto_fd int other =
		open(in_directory("other"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(mkv_pwrite_all(memory, data, sizeof(data), 0, &err),
			 0);
	assert_int_equal(mkv_copy_range(memory, 3, disk, 1, 599990, &err), 0);
	assert_int_equal(mkv_copy_range(disk, 1, other, 100, 599990, &err), 0);
	assert_int_equal(mkv_pread_all(other, got, 599990, 100, &err), 0);
	assert_memory_equal(got, data + 3, 599990);
	assert_int_equal(mkv_copy_range(disk, 599990, other, 0, 2, &err), -EIO);
	assert_int_equal(mkv_copy_range(memory, 599999, disk, 0, 2, &err),
			 -EIO);
	assert_int_equal(mkv_copy_range(disk, 0, other, 0, 0, &err), 0);
}

static void a_new_file_appears_when_committed(void **state)
{
	(void)state;
	struct mkv_error err;
	mode_t umask_before = umask(077);
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	assert_int_equal(
		mkv_newfile_open(in_directory("new"), 0644, &file, &err), 0);
	(void)umask(umask_before);
	assert_int_equal(mkv_write_all(file.fd, "text", 4, &err), 0);
	assert_int_equal(faccessat(directory_fd, "new", F_OK, 0), -1);
	assert_int_equal(mkv_newfile_commit(&file, &err), 0);
	assert_holds("new", "text");
	struct stat st;
	assert_int_equal(fstatat(directory_fd, "new", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(count_entries(), 1);
}

static void a_dropped_file_keeps_the_previous_content(void **state)
{
	(void)state;
	struct mkv_error err;
	assert_int_equal(
		mkv_write_file(in_directory("f"), 0600, "old", 3, &err), 0);
	{
		auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
		assert_int_equal(
			mkv_newfile_open(in_directory("f"), 0600, &file, &err),
			0);
		assert_int_equal(mkv_write_all(file.fd, "half", 4, &err), 0);
		assert_int_equal(count_entries(), 2);
	}
	assert_holds("f", "old");
	assert_int_equal(count_entries(), 1);
	assert_int_equal(
		mkv_write_file(in_directory("f"), 0600, "new", 3, &err), 0);
	assert_holds("f", "new");
}

static void two_writers_do_not_interfere(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_newfile struct mkv_newfile a = MKV_NEWFILE_INIT;
	auto_newfile struct mkv_newfile b = MKV_NEWFILE_INIT;
	assert_int_equal(mkv_newfile_open(in_directory("f"), 0600, &a, &err),
			 0);
	assert_int_equal(mkv_newfile_open(in_directory("f"), 0600, &b, &err),
			 0);
	assert_int_equal(mkv_write_all(a.fd, "a", 1, &err), 0);
	assert_int_equal(mkv_write_all(b.fd, "b", 1, &err), 0);
	assert_int_equal(mkv_newfile_commit(&a, &err), 0);
	assert_holds("f", "a");
	assert_int_equal(mkv_newfile_commit(&b, &err), 0);
	assert_holds("f", "b");
	assert_int_equal(count_entries(), 1);
}

static void a_commit_that_fails_leaves_nothing(void **state)
{
	(void)state;
	struct mkv_error err;
	assert_int_equal(mkdirat(directory_fd, "f", 0755), 0);
	assert_int_equal(mkdirat(directory_fd, "f/full", 0755), 0);
	assert_int_equal(mkv_write_file(in_directory("f"), 0600, "x", 1, &err),
			 -EISDIR);
	assert_non_null(strstr(err.message, "rename to 'f': Is a directory"));
	assert_int_equal(count_entries(), 1);
	assert_int_equal(
		mkv_write_file(in_directory("none/f"), 0600, "x", 1, &err),
		-ENOENT);
}

static void a_link_at_the_path_is_replaced(void **state)
{
	(void)state;
	struct mkv_error err;
	assert_int_equal(
		mkv_write_file(in_directory("kept"), 0600, "kept", 4, &err), 0);
	assert_int_equal(symlinkat("kept", directory_fd, "link"), 0);
	assert_int_equal(
		mkv_write_file(in_directory("link"), 0600, "x", 1, &err), 0);
	assert_holds("kept", "kept");
	assert_holds("link", "x");
}

static void directories_are_made_with_their_parents(void **state)
{
	(void)state;
	struct mkv_error err;
	mode_t umask_before = umask(077);
	static const char *const paths[] = {"a/b/c", "a/b/c", "a//d/", "a"};
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(mkv_make_dirs(in_directory(paths[i]), &err),
				 0);
	(void)umask(umask_before);
	struct stat st;
	assert_int_equal(fstatat(directory_fd, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(fstatat(directory_fd, "a/d", &st, 0), 0);
	assert_int_equal(mkv_make_dirs("/", &err), 0);
	assert_true(mkv_make_dirs("", &err) < 0);
}

static void a_file_is_no_directory(void **state)
{
	(void)state;
	struct mkv_error err;
	assert_int_equal(mkv_write_file(in_directory("f"), 0600, "", 0, &err),
			 0);
	assert_int_equal(mkv_make_dirs(in_directory("f/a"), &err), -ENOTDIR);
	assert_int_equal(mkv_make_dirs(in_directory("f"), &err), -ENOTDIR);
}

static void removing_never_follows_a_link(void **state)
{
	(void)state;
	struct mkv_error err;
	assert_int_equal(mkv_make_dirs(in_directory("kept/deep"), &err), 0);
	assert_int_equal(mkv_make_dirs(in_directory("gone/a/b"), &err), 0);
	assert_int_equal(
		mkv_write_file(in_directory("gone/a/f"), 0400, "", 0, &err), 0);
	assert_int_equal(symlinkat("../kept", directory_fd, "gone/link"), 0);
	assert_int_equal(symlinkat("kept", directory_fd, "link"), 0);
	assert_int_equal(mkv_remove_tree(directory_fd, "gone", &err), 0);
	assert_int_equal(mkv_remove_tree(directory_fd, "link", &err), 0);
	assert_int_equal(mkv_remove_tree(directory_fd, "none", &err), 0);
	assert_int_equal(count_entries(), 1);
	assert_int_equal(faccessat(directory_fd, "kept/deep", F_OK, 0), 0);
}

/* A file of a killed process that had the same process number, as in
 * containers. */
static void a_temporary_name_that_is_taken_is_skipped(void **state)
{
	(void)state;
	struct mkv_error err;
	unsigned number = 0;
	{
		auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
		assert_int_equal(
			mkv_newfile_open(in_directory("f"), 0600, &file, &err),
			0);
		const char *dot = strrchr(file.temporary, '.');
		number = (unsigned)strtoul(dot + 1, NULL, 10);
	}
	for (unsigned i = 1; i <= 3; i++) {
		char taken[64];
		(void)snprintf(taken, sizeof(taken), "f.new.%ld.%u",
			       (long)getpid(), number + i);
		auto_fd int fd = openat(directory_fd, taken,
					O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
	}
	assert_int_equal(mkv_write_file(in_directory("f"), 0600, "y", 1, &err),
			 0);
}

#define each(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(reads_have_a_limit),
		each(a_missing_file_is_named),
		each(early_ends_are_errors),
		each(full_devices_are_errors),
		each(ranges_are_copied_across_kinds_of_files),
		each(a_new_file_appears_when_committed),
		each(a_dropped_file_keeps_the_previous_content),
		each(two_writers_do_not_interfere),
		each(a_temporary_name_that_is_taken_is_skipped),
		each(a_commit_that_fails_leaves_nothing),
		each(a_link_at_the_path_is_replaced),
		each(directories_are_made_with_their_parents),
		each(a_file_is_no_directory),
		each(removing_never_follows_a_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The cpio writer; libarchive, an independent reader, reads its output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <cmocka.h>

#include "builder/format/archive/cpio.h"

enum { EPOCH_S = 1763856000 };

static void put_node(struct mkv_tree *tree, const char *path, mode_t mode,
		     unsigned major, unsigned minor)
{
	struct mkv_error err = {0};
	auto_inode struct mkv_inode *inode = mkv_inode_new(mode, 7, 8, EPOCH_S);
	assert_non_null(inode);
	inode->major = major;
	inode->minor = minor;
	assert_int_equal(mkv_tree_put(tree, path, inode, &err), 0);
}

static struct mkv_tree *new_tree(void)
{
	struct mkv_error err = {0};
	struct mkv_tree *tree = NULL;
	assert_int_equal(mkv_tree_new(EPOCH_S, &tree, &err), 0);
	assert_int_equal(
		mkv_tree_put_file(tree, "/etc/motd", 0600, "hello", 5, &err),
		0);
	assert_int_equal(
		mkv_tree_put_file(tree, "/etc/none", 0644, "", 0, &err), 0);
	assert_int_equal(mkv_tree_put_symlink(tree, "/link", "etc/motd", &err),
			 0);
	put_node(tree, "/null", S_IFCHR | 0666, 1, 3);
	put_node(tree, "/pipe", S_IFIFO | 0640, 0, 0);
	assert_int_equal(mkv_tree_put(tree, "/again",
				      mkv_tree_lookup(tree, "/etc/motd"), &err),
			 0);
	return tree;
}

static void write_tree(const struct mkv_tree *tree, struct mkv_buf *ret)
{
	struct mkv_error err = {0};
	assert_int_equal(mkv_cpio_write(tree, ret, &err), 0);
}

static const struct {
	const char *path;
	mode_t mode;
	int uid;
	unsigned links;
	const char *text; /* content or target */
} rows[] = {
	/* Of two names of a file the last one has the content. */
	{"again", S_IFREG | 0600, 0, 2, ""},
	{"etc", S_IFDIR | 0755, 0, 2, ""},
	{"etc/motd", S_IFREG | 0600, 0, 2, "hello"},
	{"etc/none", S_IFREG | 0644, 0, 1, ""},
	{"link", S_IFLNK | 0777, 0, 1, "etc/motd"},
	{"null", S_IFCHR | 0666, 7, 1, ""},
	{"pipe", S_IFIFO | 0640, 7, 1, ""},
};

static void libarchive_reads_the_same_tree(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = new_tree();
	auto_buf struct mkv_buf buf = {0};
	write_tree(tree, &buf);
	struct archive *archive = archive_read_new();
	assert_int_equal(archive_read_support_format_cpio(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_open_memory(archive, buf.data, buf.size),
			 ARCHIVE_OK);
	long inodes[sizeof(rows) / sizeof(rows[0])];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct archive_entry *entry;
		assert_int_equal(archive_read_next_header(archive, &entry),
				 ARCHIVE_OK);
		assert_string_equal(archive_entry_pathname(entry),
				    rows[i].path);
		assert_int_equal(archive_entry_mode(entry), rows[i].mode);
		assert_int_equal(archive_entry_uid(entry), rows[i].uid);
		assert_int_equal(archive_entry_nlink(entry), rows[i].links);
		assert_int_equal(archive_entry_mtime(entry), EPOCH_S);
		inodes[i] = archive_entry_ino64(entry);
		if (S_ISLNK(rows[i].mode)) {
			assert_string_equal(archive_entry_symlink(entry),
					    rows[i].text);
			continue;
		}
		if (S_ISCHR(rows[i].mode)) {
			assert_int_equal(archive_entry_rdevmajor(entry), 1);
			assert_int_equal(archive_entry_rdevminor(entry), 3);
		}
		char text[16] = "";
		assert_int_equal(archive_read_data(archive, text, sizeof(text)),
				 strlen(rows[i].text));
		assert_string_equal(text, rows[i].text);
	}
	struct archive_entry *entry;
	assert_int_equal(archive_read_next_header(archive, &entry),
			 ARCHIVE_EOF);
	assert_int_equal(inodes[0], inodes[2]);
	assert_int_not_equal(inodes[0], inodes[3]);
	archive_read_free(archive);
}

static void writes_the_same_bytes_in_any_order(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *first = NULL, *second = NULL;
	assert_int_equal(mkv_tree_new(EPOCH_S, &first, &err), 0);
	assert_int_equal(mkv_tree_new(EPOCH_S, &second, &err), 0);
	static const char *const names[] = {"/a", "/b", "/c"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
			mkv_tree_put_file(first, names[i], 0644, "x", 1, &err),
			0);
		assert_int_equal(mkv_tree_put_file(second, names[2 - i], 0644,
						   "x", 1, &err),
				 0);
	}
	auto_buf struct mkv_buf a = {0}, b = {0};
	write_tree(first, &a);
	write_tree(second, &b);
	write_tree(second, &b); /* marks of the first write do not matter */
	assert_int_equal(b.size, 2 * a.size);
	assert_memory_equal(a.data, b.data, a.size);
	assert_memory_equal(a.data, b.data + a.size, a.size);
}

static void refuses_times_that_cpio_cannot_hold(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *tree = new_tree();
	auto_buf struct mkv_buf buf = {0};
	mkv_tree_lookup(tree, "/pipe")->mtime_s = -1;
	assert_true(mkv_cpio_write(tree, &buf, &err) < 0);
	assert_non_null(strstr(err.message, "'/pipe'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libarchive_reads_the_same_tree),
		cmocka_unit_test(writes_the_same_bytes_in_any_order),
		cmocka_unit_test(refuses_times_that_cpio_cannot_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

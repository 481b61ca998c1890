/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "tests/unit/sample_tree.h"

static int collect_path(const char *path, struct mkv_inode *inode,
			void *context, struct mkv_error *err)
{
	(void)inode, (void)err;
	mkv_buf_str(context, path);
	mkv_buf_char(context, '\n');
	return 0;
}

static void assert_paths(const struct mkv_tree *tree, const char *expected)
{
	struct mkv_error err;
	auto_buf struct mkv_buf paths = {0};
	assert_int_equal(mkv_tree_walk(tree, collect_path, &paths, &err), 0);
	assert_string_equal(paths.data, expected);
}

static void a_new_tree_holds_its_root_alone(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_empty();
	const struct mkv_inode *root = mkv_tree_root(tree);
	assert_int_equal(root->mode, S_IFDIR | 0755);
	assert_int_equal(root->uid, 0);
	assert_int_equal(root->gid, 0);
	assert_int_equal(root->mtime_s, SAMPLE_EPOCH);
	assert_int_equal(mkv_tree_count(tree), 0);
	assert_ptr_equal(mkv_tree_lookup(tree, "/"), root);
	assert_paths(tree, "/\n");
}

static void a_walk_goes_depth_first_in_byte_order(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_empty();
	static const char *const files[] = {"/b/x", "/b.d",	"/a", "/b/\xff",
					    "/b/A", "/b/x.y/z", "/~"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		sample_file(tree, files[i], "");
	assert_paths(tree, "/\n/a\n/b\n/b/A\n/b/x\n/b/x.y\n/b/x.y/z\n"
			   "/b/\xff\n/b.d\n/~\n");
	assert_int_equal(mkv_tree_count(tree), 9);
}

static int stop_at_b(const char *path, struct mkv_inode *inode, void *context,
		     struct mkv_error *err)
{
	(void)inode;
	++*(int *)context;
	return strcmp(path, "/b") == 0
		       ? mkv_fail(err, MKV_FAILED, ECANCELED, "stop")
		       : 0;
}

static void a_walk_stops_at_the_first_error(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/a", "");
	sample_file(tree, "/b/c", "");
	sample_file(tree, "/d", "");
	int visits = 0;
	assert_int_equal(mkv_tree_walk(tree, stop_at_b, &visits, &err),
			 -ECANCELED);
	assert_int_equal(visits, 3);
	assert_string_equal(err.message, "stop");
}

static void invalid_paths_are_refused(void **state)
{
	(void)state;
	struct mkv_error err;
	char long_name[300] = "/";
	memset(long_name + 1, 'n', 256);
	char long_path[4300] = "";
	for (size_t i = 0; i < 4200; i++)
		long_path[i] = i % 2 ? 'x' : '/';
	const char *const bad[] = {"",	    "a",      "a/b",	 "//",
				   "/a//b", "/a/",    "/.",	 "/..",
				   "/a/..", "/a/./b", long_name, long_path};
	auto_tree struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/a/b", "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		auto_inode struct mkv_inode *dir =
			mkv_inode_new(S_IFDIR | 0755, 0, 0, 0);
		assert_null(mkv_tree_lookup(tree, bad[i]));
		assert_int_equal(mkv_tree_put(tree, bad[i], dir, &err),
				 -EINVAL);
		assert_int_equal(mkv_tree_make_dirs(tree, bad[i], &err),
				 -EINVAL);
		assert_false(mkv_tree_remove(tree, bad[i]));
	}
	auto_inode struct mkv_inode *root =
		mkv_inode_new(S_IFDIR | 0755, 0, 0, 0);
	assert_int_equal(mkv_tree_put(tree, "/", root, &err), -EINVAL);
	assert_string_equal(err.message, "'/' is not a path of a tree");
	assert_int_equal(mkv_tree_count(tree), 2);
}

static void names_of_255_bytes_and_paths_of_4095_are_taken(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_empty();
	char name[257] = "/";
	memset(name + 1, 'n', 255);
	sample_file(tree, name, "");
	char path[4096];
	for (size_t i = 0; i < 4095; i++)
		path[i] = i % 2 ? 'x' : '/';
	path[4094] = 'x';
	path[4095] = '\0';
	assert_int_equal(mkv_tree_make_dirs(tree, path, &err), 0);
	assert_non_null(mkv_tree_lookup(tree, path));
	assert_int_equal(mkv_tree_count(tree), 1 + 2047);
}

static void the_error_names_the_obstructing_entry(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int put, dirs;
		const char *put_message, *dirs_message;
	} rows[] = {
		{"/none/x", -ENOENT, 0, "'/none/x': '/none' is missing", NULL},
		{"/bin/x", -ENOTDIR, -ENOTDIR,
		 "'/bin/x': '/bin' is a link to 'usr/bin'",
		 "'/bin/x': '/bin' is a link to 'usr/bin'"},
		{"/etc/empty/x", -ENOTDIR, -ENOTDIR,
		 "'/etc/empty/x': '/etc/empty' is not a directory",
		 "'/etc/empty/x': '/etc/empty' is not a directory"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err;
		auto_tree struct mkv_tree *tree = sample_tree();
		auto_inode struct mkv_inode *dir =
			mkv_inode_new(S_IFDIR | 0755, 0, 0, 0);
		assert_int_equal(mkv_tree_put(tree, rows[i].path, dir, &err),
				 rows[i].put);
		assert_string_equal(err.message, rows[i].put_message);
		assert_int_equal(mkv_tree_make_dirs(tree, rows[i].path, &err),
				 rows[i].dirs);
		if (rows[i].dirs)
			assert_string_equal(err.message, rows[i].dirs_message);
		assert_false(rows[i].dirs &&
			     mkv_tree_lookup(tree, rows[i].path));
	}
}

static void put_file_and_put_symlink_never_go_through_a_link(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_tree();
	size_t count = mkv_tree_count(tree);
	assert_int_equal(mkv_tree_put_file(tree, "/bin/sh", 0755, "", 0, &err),
			 -ENOTDIR);
	assert_int_equal(mkv_tree_put_symlink(tree, "/bin/a/b", "c", &err),
			 -ENOTDIR);
	assert_false(mkv_tree_remove(tree, "/bin/ping"));
	assert_null(mkv_tree_lookup(tree, "/bin/ping"));
	assert_int_equal(mkv_tree_count(tree), count);
}

static void put_replaces_all_but_directories_that_hold_something(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/d/x", "1");
	sample_file(tree, "/d/x", "22");
	assert_int_equal(
		mkv_content_size(mkv_tree_lookup(tree, "/d/x")->content), 2);
	assert_int_equal(mkv_tree_put_file(tree, "/d", 0644, "", 0, &err),
			 -EEXIST);
	assert_string_equal(err.message,
			    "'/d' is a directory that is not empty");
	assert_int_equal(mkv_tree_count(tree), 2);
	assert_true(mkv_tree_remove(tree, "/d/x"));
	sample_file(tree, "/d", "now a file");
	assert_int_equal(mkv_tree_count(tree), 1);
}

static void hard_links_are_counted(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/a", "x");
	assert_int_equal(mkv_tree_make_dirs(tree, "/b", &err), 0);
	sample_link(tree, "/b/c", "/a");
	sample_link(tree, "/d", "/a");
	struct mkv_inode *inode = mkv_tree_lookup(tree, "/a");
	assert_ptr_equal(mkv_tree_lookup(tree, "/b/c"), inode);
	assert_int_equal(inode->entries, 3);
	assert_true(mkv_tree_remove(tree, "/b"));
	assert_int_equal(inode->entries, 2);
	assert_true(mkv_tree_remove(tree, "/a"));
	assert_int_equal(mkv_tree_lookup(tree, "/d")->entries, 1);
	assert_int_equal(mkv_tree_put(tree, "/d", inode, &err), 0);
	assert_int_equal(mkv_tree_lookup(tree, "/d")->entries, 1);
	assert_int_equal(mkv_tree_count(tree), 1);
}

static void a_directory_has_one_name(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_empty();
	assert_int_equal(mkv_tree_make_dirs(tree, "/a", &err), 0);
	assert_int_equal(
		mkv_tree_put(tree, "/b", mkv_tree_lookup(tree, "/a"), &err),
		-EINVAL);
	assert_string_equal(err.message,
			    "'/b': only a new, empty directory can be put");
}

static void make_dirs_keeps_what_is_there(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_tree();
	size_t count = mkv_tree_count(tree);
	assert_int_equal(mkv_tree_make_dirs(tree, "/tmp/a/b", &err), 0);
	assert_int_equal(mkv_tree_lookup(tree, "/tmp")->mode, S_IFDIR | 01777);
	const struct mkv_inode *made = mkv_tree_lookup(tree, "/tmp/a/b");
	assert_int_equal(made->mode, S_IFDIR | 0755);
	assert_int_equal(made->uid, 0);
	assert_int_equal(made->mtime_s, SAMPLE_EPOCH);
	assert_int_equal(mkv_tree_make_dirs(tree, "/tmp/a/b", &err), 0);
	assert_int_equal(mkv_tree_make_dirs(tree, "/", &err), 0);
	assert_int_equal(mkv_tree_count(tree), count + 2);
}

static void attributes_are_sorted_and_replaced(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_inode struct mkv_inode *inode = mkv_inode_new(S_IFREG, 0, 0, 0);
	static const char *const names[] = {"user.b", "user.c", "user.a",
					    "user.b"};
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(mkv_inode_set_xattr(inode, names[i],
						     i == 3 ? "new" : "old", 3,
						     &err),
				 0);
	assert_int_equal(inode->n_xattrs, 3);
	assert_string_equal(inode->xattrs[0].name, "user.a");
	assert_string_equal(inode->xattrs[1].name, "user.b");
	assert_memory_equal(inode->xattrs[1].value, "new", 3);
	assert_string_equal(inode->xattrs[2].name, "user.c");
}

static void a_clone_is_independent(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_tree struct mkv_tree *copy = NULL;
	assert_int_equal(mkv_tree_clone(tree, &copy, &err), 0);
	assert_int_equal(mkv_tree_count(copy), mkv_tree_count(tree));
	const struct mkv_inode *ping = mkv_tree_lookup(copy, "/usr/bin/ping");
	assert_ptr_equal(mkv_tree_lookup(copy, "/usr/bin/ping4"), ping);
	assert_int_equal(ping->entries, 2);
	assert_int_equal(ping->n_xattrs, 2);
	assert_ptr_not_equal(mkv_tree_lookup(tree, "/usr/bin/ping"), ping);
	assert_ptr_equal(mkv_tree_lookup(tree, "/usr/bin/ping")->content,
			 ping->content);
	assert_true(mkv_tree_remove(tree, "/usr"));
	mkv_tree_lookup(tree, "/tmp")->mode = S_IFDIR | 0700;
	assert_non_null(mkv_tree_lookup(copy, "/usr/bin/ping4"));
	assert_int_equal(mkv_tree_lookup(copy, "/tmp")->mode, S_IFDIR | 01777);
	mkv_tree_free(mkv_take(tree));
	uint8_t text[3];
	assert_int_equal(mkv_content_read(ping->content, 0, text, 3, &err), 0);
	assert_memory_equal(text, "ELF", 3);
}

static void removing_includes_all_entries_below(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/a/b/c", "");
	sample_file(tree, "/a/d", "");
	sample_file(tree, "/e", "");
	assert_false(mkv_tree_remove(tree, "/a/x"));
	assert_false(mkv_tree_remove(tree, "/"));
	assert_true(mkv_tree_remove(tree, "/a"));
	assert_int_equal(mkv_tree_count(tree), 1);
	assert_paths(tree, "/\n/e\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_tree_holds_its_root_alone),
		cmocka_unit_test(a_walk_goes_depth_first_in_byte_order),
		cmocka_unit_test(a_walk_stops_at_the_first_error),
		cmocka_unit_test(invalid_paths_are_refused),
		cmocka_unit_test(
			names_of_255_bytes_and_paths_of_4095_are_taken),
		cmocka_unit_test(the_error_names_the_obstructing_entry),
		cmocka_unit_test(
			put_file_and_put_symlink_never_go_through_a_link),
		cmocka_unit_test(
			put_replaces_all_but_directories_that_hold_something),
		cmocka_unit_test(hard_links_are_counted),
		cmocka_unit_test(a_directory_has_one_name),
		cmocka_unit_test(make_dirs_keeps_what_is_there),
		cmocka_unit_test(attributes_are_sorted_and_replaced),
		cmocka_unit_test(a_clone_is_independent),
		cmocka_unit_test(removing_includes_all_entries_below),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "builder/core/tree/diff.h"
#include "lib/buf.h"
#include "tests/unit/sample_tree.h"

static int print_difference(const char *path, enum mkv_tree_difference what,
			    struct mkv_inode *a, struct mkv_inode *b,
			    void *context, struct mkv_error *err)
{
	(void)err;
	assert_int_equal(what == MKV_ONLY_IN_B, a == NULL);
	assert_int_equal(what == MKV_ONLY_IN_A, b == NULL);
	mkv_buf_printf(context, "%s: %s\n", path,
		       mkv_tree_difference_name(what));
	return 0;
}

static void assert_differences(const struct mkv_tree *a,
			       const struct mkv_tree *b, const char *expected)
{
	struct mkv_error err;
	auto_buf struct mkv_buf said = {0};
	mkv_buf_str(&said, "");
	assert_int_equal(mkv_tree_compare(a, b, print_difference, &said, &err),
			 0);
	assert_string_equal(said.data, expected);
}

/* An edit of a copy of the sample tree, the output of the comparison, and the
 * paths of the layer. */
struct row {
	void (*edit)(struct mkv_tree *tree);
	const char *differences;
	const char *layer;
};

static void change_nothing(struct mkv_tree *tree)
{
	(void)tree;
}
static void change_content(struct mkv_tree *tree)
{
	struct mkv_inode *inode = mkv_tree_lookup(tree, "/home/new");
	struct mkv_content *content = mkv_content_bytes("FROM AFTER 2038", 15);
	mkv_content_unref(inode->content);
	inode->content = content;
}
static void change_size(struct mkv_tree *tree)
{
	sample_file(tree, "/etc/empty", "no more");
}
static void change_mode_and_owner(struct mkv_tree *tree)
{
	struct mkv_inode *inode = mkv_tree_lookup(tree, "/tmp");
	inode->mode = S_IFDIR | 0755;
	inode->gid = 0;
}
static void change_time(struct mkv_tree *tree)
{
	mkv_tree_lookup(tree, "/pipe")->mtime_s++;
}
static void change_target(struct mkv_tree *tree)
{
	struct mkv_error err;
	assert_int_equal(mkv_tree_put_symlink(tree, "/bin", "sbin", &err), 0);
}
static void change_device(struct mkv_tree *tree)
{
	mkv_tree_lookup(tree, "/dev-disk")->minor++;
}
static void change_attribute(struct mkv_tree *tree)
{
	struct mkv_error err;
	assert_int_equal(
		mkv_inode_set_xattr(mkv_tree_lookup(tree, "/usr/bin/ping"),
				    "user.a=b c", "x", 1, &err),
		0);
}
static void change_root(struct mkv_tree *tree)
{
	mkv_tree_root(tree)->mode = S_IFDIR | 0700;
}
static void add_directory(struct mkv_tree *tree)
{
	sample_file(tree, "/new/deep/file", "x");
}
static void add_file_deep_down(struct mkv_tree *tree)
{
	sample_file(tree, "/usr/bin/pong", "x");
}
static void add_link(struct mkv_tree *tree)
{
	sample_link(tree, "/etc/ping", "/usr/bin/ping");
}
static void part_links(struct mkv_tree *tree)
{
	struct mkv_error err;
	struct mkv_inode *copy = NULL;
	assert_int_equal(mkv_inode_copy(mkv_tree_lookup(tree, "/usr/bin/ping"),
					&copy, &err),
			 0);
	assert_int_equal(mkv_tree_put(tree, "/usr/bin/ping4", copy, &err), 0);
	mkv_inode_unref(copy);
}
static void remove_directory(struct mkv_tree *tree)
{
	assert_true(mkv_tree_remove(tree, "/home"));
}
static void remove_one_link(struct mkv_tree *tree)
{
	assert_true(mkv_tree_remove(tree, "/usr/bin/ping4"));
}
static void directory_becomes_link(struct mkv_tree *tree)
{
	struct mkv_error err;
	assert_true(mkv_tree_remove(tree, "/home"));
	assert_int_equal(mkv_tree_put_symlink(tree, "/home", "tmp", &err), 0);
}
static void link_becomes_directory(struct mkv_tree *tree)
{
	assert_true(mkv_tree_remove(tree, "/bin"));
	sample_file(tree, "/bin/sub/sh", "");
}
static void empty_a_directory(struct mkv_tree *tree)
{
	assert_true(mkv_tree_remove(tree, "/home/new"));
	assert_true(mkv_tree_remove(tree, "/home/old"));
}

static const struct row rows[] = {
	{change_nothing, "", "/\n"},
	{change_content, "/home/new: content\n", "/\n/home\n/home/new\n"},
	{change_size, "/etc/empty: size\n", "/\n/etc\n/etc/empty\n"},
	{change_mode_and_owner, "/tmp: mode\n/tmp: owner\n", "/\n/tmp\n"},
	{change_time, "/pipe: time\n", "/\n/pipe\n"},
	{change_target, "/bin: link target\n", "/\n/bin\n"},
	{change_device, "/dev-disk: device\n", "/\n/dev-disk\n"},
	{change_attribute,
	 "/usr/bin/ping: extended attributes\n"
	 "/usr/bin/ping4: extended attributes\n",
	 "/\n/usr\n/usr/bin\n/usr/bin/ping\n/usr/bin/ping4\n"},
	{change_root, "/: mode\n", "/\n"},
	{add_directory, "/new: only in the second\n",
	 "/\n/new\n/new/deep\n/new/deep/file\n"},
	{add_file_deep_down, "/usr/bin/pong: only in the second\n",
	 "/\n/usr\n/usr/bin\n/usr/bin/pong\n"},
	{add_link,
	 "/etc/ping: only in the second\n/usr/bin/ping: hard links\n"
	 "/usr/bin/ping4: hard links\n",
	 "/\n/etc\n/etc/ping\n/usr\n/usr/bin\n/usr/bin/ping\n"
	 "/usr/bin/ping4\n"},
	{part_links, "/usr/bin/ping: hard links\n/usr/bin/ping4: hard links\n",
	 "/\n/usr\n/usr/bin\n/usr/bin/ping\n/usr/bin/ping4\n"},
	{remove_directory, "/home: only in the first\n", "/\n/.wh.home\n"},
	{remove_one_link,
	 "/usr/bin/ping: hard links\n/usr/bin/ping4: only in the first\n",
	 "/\n/usr\n/usr/bin\n/usr/bin/.wh.ping4\n/usr/bin/ping\n"},
	{directory_becomes_link, "/home: type\n", "/\n/home\n"},
	{link_becomes_directory, "/bin: type\n",
	 "/\n/bin\n/bin/sub\n/bin/sub/sh\n"},
	{empty_a_directory,
	 "/home/new: only in the first\n/home/old: only in the first\n",
	 "/\n/home\n/home/.wh.new\n/home/.wh.old\n"},
};

static int collect_path(const char *path, struct mkv_inode *inode,
			void *context, struct mkv_error *err)
{
	(void)inode, (void)err;
	mkv_buf_str(context, path);
	mkv_buf_char(context, '\n');
	return 0;
}

static void every_edit_is_reported_and_layered(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err;
		auto_tree struct mkv_tree *base = sample_tree();
		auto_tree struct mkv_tree *top = NULL;
		auto_tree struct mkv_tree *layer = NULL;
		assert_int_equal(mkv_tree_clone(base, &top, &err), 0);
		rows[i].edit(top);
		assert_differences(base, top, rows[i].differences);
		assert_int_equal(mkv_tree_diff(base, top, &layer, &err), 0);
		auto_buf struct mkv_buf paths = {0};
		assert_int_equal(
			mkv_tree_walk(layer, collect_path, &paths, &err), 0);
		assert_string_equal(paths.data, rows[i].layer);
	}
}

/* Applies a layer according to the OCI image specification. */
static int apply_entry(const char *path, struct mkv_inode *inode, void *context,
		       struct mkv_error *err)
{
	struct mkv_tree *base = context;
	if (path[1] == '\0') {
		mkv_tree_root(base)->mode = inode->mode;
		return 0;
	}
	const char *name = strrchr(path, '/') + 1;
	if (strncmp(name, ".wh.", 4) == 0) {
		auto_free char *gone = NULL;
		assert_true(asprintf(&gone, "%.*s%s", (int)(name - path), path,
				     name + 4) > 0);
		assert_true(mkv_tree_remove(base, gone));
		return 0;
	}
	struct mkv_inode *there = mkv_tree_lookup(base, path);
	if (there && there->children && inode->children) {
		there->mode = inode->mode;
		there->uid = inode->uid;
		there->gid = inode->gid;
		there->mtime_s = inode->mtime_s;
		return 0;
	}
	if (there && there->children)
		assert_true(mkv_tree_remove(base, path));
	struct mkv_inode *copy = (struct mkv_inode *)(uintptr_t)inode->mark;
	if (copy)
		return mkv_tree_put(base, path, copy, err);
	int rc = mkv_inode_copy(inode, &copy, err);
	if (rc == 0)
		rc = mkv_tree_put(base, path, copy, err);
	if (!inode->children)
		inode->mark = (uintptr_t)copy;
	mkv_inode_unref(copy);
	return rc;
}

static void a_layer_over_its_base_is_the_top(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err;
		auto_tree struct mkv_tree *base = sample_tree();
		auto_tree struct mkv_tree *top = NULL;
		auto_tree struct mkv_tree *layer = NULL;
		assert_int_equal(mkv_tree_clone(base, &top, &err), 0);
		rows[i].edit(top);
		assert_int_equal(mkv_tree_diff(base, top, &layer, &err), 0);
		assert_int_equal(mkv_tree_walk(layer, apply_entry, base, &err),
				 0);
		assert_differences(base, top, "");
	}
}

static void the_layer_without_a_base_is_the_whole_tree(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *base = sample_empty();
	auto_tree struct mkv_tree *top = sample_tree();
	auto_tree struct mkv_tree *layer = NULL;
	assert_int_equal(mkv_tree_diff(base, top, &layer, &err), 0);
	assert_differences(layer, top, "");
	assert_int_equal(mkv_tree_count(layer), mkv_tree_count(top));
}

static void parents_in_a_layer_are_as_in_the_top(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *base = sample_tree();
	auto_tree struct mkv_tree *top = NULL;
	auto_tree struct mkv_tree *layer = NULL;
	assert_int_equal(mkv_tree_clone(base, &top, &err), 0);
	sample_file(top, "/tmp/x", "");
	assert_int_equal(mkv_tree_diff(base, top, &layer, &err), 0);
	const struct mkv_inode *tmp = mkv_tree_lookup(layer, "/tmp");
	assert_int_equal(tmp->mode, S_IFDIR | 01777);
	assert_int_equal(tmp->gid, 4000000000);
}

static void a_tree_equals_itself(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_tree();
	assert_differences(tree, tree, "");
}

static void names_like_whiteouts_cannot_be_layered(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *base = sample_empty();
	auto_tree struct mkv_tree *top = sample_empty();
	struct mkv_tree *layer = NULL;
	sample_file(top, "/etc/.wh.x", "");
	assert_int_equal(mkv_tree_diff(base, top, &layer, &err), -EINVAL);
	assert_string_equal(err.message,
			    "'/etc/.wh.x': an OCI layer can't contain a name "
			    "that begins with '.wh.'");
	assert_null(layer);
}

static int stop_walk(const char *path, enum mkv_tree_difference what,
		     struct mkv_inode *a, struct mkv_inode *b, void *context,
		     struct mkv_error *err)
{
	(void)path, (void)what, (void)a, (void)b;
	++*(int *)context;
	return mkv_fail(err, MKV_FAILED, ECANCELED, "stop");
}

static void a_comparison_can_be_stopped(void **state)
{
	(void)state;
	struct mkv_error err;
	int calls = 0;
	auto_tree struct mkv_tree *a = sample_empty();
	auto_tree struct mkv_tree *b = sample_tree();
	assert_int_equal(mkv_tree_compare(a, b, stop_walk, &calls, &err),
			 -ECANCELED);
	assert_int_equal(calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_edit_is_reported_and_layered),
		cmocka_unit_test(a_layer_over_its_base_is_the_top),
		cmocka_unit_test(the_layer_without_a_base_is_the_whole_tree),
		cmocka_unit_test(parents_in_a_layer_are_as_in_the_top),
		cmocka_unit_test(a_tree_equals_itself),
		cmocka_unit_test(names_like_whiteouts_cannot_be_layered),
		cmocka_unit_test(a_comparison_can_be_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

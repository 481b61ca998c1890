/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "builder/input/overlay/overlay.h"
#include "lib/io.h"

enum { EPOCH = 1763856000 };

static char directory[64];

static int set_up(void **state)
{
	(void)state;
	(void)strcpy(directory, "/tmp/mkv-overlay-test-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct mkv_error err;
	(void)state;
	return mkv_remove_tree(AT_FDCWD, directory, &err);
}

static const char *path_of(const char *name)
{
	static char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	struct mkv_error err;
	assert_int_equal(
		mkv_write_file(path_of(name), mode, text, strlen(text), &err),
		0);
	assert_int_equal(chmod(path_of(name), mode), 0);
}

static void make_overlay(void)
{
	assert_int_equal(mkdir(path_of("o"), 0700), 0);
	assert_int_equal(mkdir(path_of("o/etc"), 0777), 0);
	write_file("o/etc/setting", "x=1\n", 0600);
	write_file("o/etc/program", "#!/bin/sh\n", 0711);
	assert_int_equal(symlink("../away", path_of("o/etc/link")), 0);
}

static struct mkv_sha256 overlay_digest(void)
{
	struct mkv_sha256 sha256;
	struct mkv_error err = {0};
	if (mkv_overlay_digest(path_of("o"), &sha256, &err) < 0)
		fail_msg("%s", err.message);
	return sha256;
}

static void modes_owners_and_times_of_the_host_do_not_show(void **state)
{
	(void)state;
	make_overlay();
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *tree = NULL;
	assert_int_equal(mkv_overlay_load(path_of("o"), EPOCH, &tree, &err), 0);
	static const struct {
		const char *path;
		mode_t mode;
	} rows[] = {
		{"/etc", S_IFDIR | 0755},
		{"/etc/setting", S_IFREG | 0644},
		{"/etc/program", S_IFREG | 0755},
		{"/etc/link", S_IFLNK | 0777},
	};
	assert_int_equal(mkv_tree_count(tree), 4);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct mkv_inode *inode =
			mkv_tree_lookup(tree, rows[i].path);
		assert_non_null(inode);
		assert_int_equal(inode->mode, rows[i].mode);
		assert_int_equal(inode->uid, 0);
		assert_int_equal(inode->gid, 0);
		assert_int_equal(inode->mtime_s, EPOCH);
	}
	assert_string_equal(mkv_tree_lookup(tree, "/etc/link")->target,
			    "../away");
}

static void the_modes_file_overrides_and_is_not_in_the_image(void **state)
{
	(void)state;
	make_overlay();
	write_file("o/.modes",
		   "# a comment\n0640 0 42 /etc/setting # why\n\n"
		   "1777 7 8 /etc\n",
		   0644);
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *tree = NULL;
	assert_int_equal(mkv_overlay_load(path_of("o"), EPOCH, &tree, &err), 0);
	assert_null(mkv_tree_lookup(tree, "/.modes"));
	const struct mkv_inode *inode = mkv_tree_lookup(tree, "/etc/setting");
	assert_int_equal(inode->mode, S_IFREG | 0640);
	assert_int_equal(inode->gid, 42);
	assert_int_equal(mkv_tree_lookup(tree, "/etc")->mode, S_IFDIR | 01777);
}

static void wrong_lines_of_the_modes_file_are_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"0644 0 0 /etc/none\n",
		 ".modes:1:1: the overlay does not contain '/etc/none'"},
		{"\n0644 0 /etc\n", ".modes:2:1: expected"},
		{"9999 0 0 /etc\n", ".modes:1:1: expected"},
		{"10000 0 0 /etc\n", ".modes:1:1: expected"},
		{"0644 0 0 /etc more\n", ".modes:1:1: expected"},
		{"rwx 0 0 /etc\n", ".modes:1:1: expected"},
	};
	(void)state;
	make_overlay();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_error err = {0};
		struct mkv_tree *tree = NULL;
		write_file("o/.modes", rows[i].text, 0644);
		assert_true(mkv_overlay_load(path_of("o"), 0, &tree, &err) < 0);
		assert_null(tree);
		assert_non_null(strstr(err.message, rows[i].message));
	}
}

static void a_fifo_in_an_overlay_is_refused(void **state)
{
	(void)state;
	make_overlay();
	assert_int_equal(mkfifo(path_of("o/etc/fifo"), 0644), 0);
	struct mkv_error err = {0};
	struct mkv_tree *tree = NULL;
	assert_true(mkv_overlay_load(path_of("o"), 0, &tree, &err) < 0);
	assert_non_null(strstr(err.message, "/etc/fifo"));
}

static void directories_merge_and_files_replace(void **state)
{
	(void)state;
	make_overlay();
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *base = NULL, *over = NULL;
	assert_int_equal(mkv_tree_new(EPOCH, &base, &err), 0);
	assert_int_equal(
		mkv_tree_put_file(base, "/etc/setting", 0600, "old", 3, &err),
		0);
	assert_int_equal(
		mkv_tree_put_file(base, "/etc/stays", 0600, "s", 1, &err), 0);
	mkv_tree_lookup(base, "/etc")->mode = S_IFDIR | 0711;
	mkv_tree_lookup(base, "/etc")->gid = 9;
	assert_int_equal(mkv_overlay_load(path_of("o"), EPOCH, &over, &err), 0);
	assert_int_equal(mkv_overlay_apply(base, over, &err), 0);
	assert_int_equal(mkv_tree_lookup(base, "/etc")->mode, S_IFDIR | 0711);
	assert_int_equal(mkv_tree_lookup(base, "/etc")->gid, 9);
	assert_non_null(mkv_tree_lookup(base, "/etc/stays"));
	assert_non_null(mkv_tree_lookup(base, "/etc/link"));
	const struct mkv_inode *file = mkv_tree_lookup(base, "/etc/setting");
	assert_int_equal(file->mode, S_IFREG | 0644);
	char text[8] = "";
	assert_int_equal(mkv_content_size(file->content), 4);
	assert_int_equal(mkv_content_read(file->content, 0, text, 4, &err), 0);
	assert_string_equal(text, "x=1\n");
}

static void the_digest_covers_the_effect_of_an_overlay(void **state)
{
	(void)state;
	make_overlay();
	struct mkv_sha256 first = overlay_digest(), now;
	/* Times and the host's modes do not change the digest. */
	assert_int_equal(chmod(path_of("o/etc/setting"), 0644), 0);
	assert_int_equal(utimensat(AT_FDCWD, path_of("o/etc"), NULL, 0), 0);
	now = overlay_digest();
	assert_true(mkv_sha256_equal(&first, &now));
	/* Content, execute permission, names, links and owners change it. */
	write_file("o/etc/setting", "x=2\n", 0644);
	now = overlay_digest();
	assert_false(mkv_sha256_equal(&first, &now));
	write_file("o/etc/setting", "x=1\n", 0744);
	now = overlay_digest();
	assert_false(mkv_sha256_equal(&first, &now));
	write_file("o/etc/setting", "x=1\n", 0644);
	now = overlay_digest();
	assert_true(mkv_sha256_equal(&first, &now));
	assert_int_equal(mkdir(path_of("o/empty"), 0755), 0);
	now = overlay_digest();
	assert_false(mkv_sha256_equal(&first, &now));
	assert_int_equal(rmdir(path_of("o/empty")), 0);
	/* An explicit mode of a directory, even if equal to the default:
	 * without it a directory of the image keeps its own mode. */
	write_file("o/.modes", "0755 0 0 /etc\n", 0644);
	now = overlay_digest();
	assert_false(mkv_sha256_equal(&first, &now));
	assert_int_equal(unlink(path_of("o/.modes")), 0);
	assert_int_equal(unlink(path_of("o/etc/link")), 0);
	assert_int_equal(symlink("../awaz", path_of("o/etc/link")), 0);
	now = overlay_digest();
	assert_false(mkv_sha256_equal(&first, &now));
}

static void
overlays_are_found_next_to_the_recipe_and_in_parent_directories(void **state)
{
	(void)state;
	char recipe[256], expected[256];
	struct mkv_error err = {0};
	assert_int_equal(mkdir(path_of("overlays"), 0755), 0);
	assert_int_equal(mkdir(path_of("overlays/mine"), 0755), 0);
	assert_int_equal(mkdir(path_of("recipes"), 0755), 0);
	assert_int_equal(mkdir(path_of("recipes/sub"), 0755), 0);
	static const char *const places[] = {"r.yaml", "recipes/r.yaml",
					     "recipes/sub/r.yaml"};
	(void)snprintf(expected, sizeof(expected), "%s",
		       path_of("overlays/mine"));
	for (size_t i = 0; i < 3; i++) {
		auto_free char *path = NULL;
		(void)snprintf(recipe, sizeof(recipe), "%s",
			       path_of(places[i]));
		assert_int_equal(mkv_overlay_find(recipe, "mine", &path, &err),
				 0);
		auto_free char *real = realpath(path, NULL);
		assert_string_equal(real, expected);
	}
	static const char *const bad[] = {"", ".", "..", "a/b", "../etc"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *path = NULL;
		assert_true(mkv_overlay_find(recipe, bad[i], &path, &err) < 0);
		assert_int_equal(err.kind, MKV_BAD_RECIPE);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(modes_owners_and_times_of_the_host_do_not_show),
		CASE(the_modes_file_overrides_and_is_not_in_the_image),
		CASE(wrong_lines_of_the_modes_file_are_refused),
		CASE(a_fifo_in_an_overlay_is_refused),
		CASE(directories_merge_and_files_replace),
		CASE(the_digest_covers_the_effect_of_an_overlay),
		CASE(overlays_are_found_next_to_the_recipe_and_in_parent_directories),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

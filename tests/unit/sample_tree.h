/* SPDX-License-Identifier: MIT */
#pragma once
/* A tree with an entry of every kind, for tests of code that reads trees.
 * Include it after cmocka.h. */

#include <string.h>

#include "builder/core/tree/tree.h"

enum { SAMPLE_EPOCH = 1763856000 };

static inline mkv_unused struct mkv_inode *
sample_put(struct mkv_tree *tree, const char *path, mode_t mode)
{
	struct mkv_error err;
	struct mkv_inode *inode = mkv_inode_new(mode, 0, 0, SAMPLE_EPOCH);
	assert_non_null(inode);
	if (S_ISREG(mode))
		inode->content = mkv_content_bytes("", 0);
	assert_int_equal(mkv_tree_put(tree, path, inode, &err), 0);
	mkv_inode_unref(inode);
	return mkv_tree_lookup(tree, path);
}

static inline mkv_unused void sample_file(struct mkv_tree *tree,
					  const char *path, const char *text)
{
	struct mkv_error err;
	assert_int_equal(
		mkv_tree_put_file(tree, path, 0644, text, strlen(text), &err),
		0);
}

static inline mkv_unused void sample_link(struct mkv_tree *tree,
					  const char *path, const char *first)
{
	struct mkv_error err;
	assert_int_equal(
		mkv_tree_put(tree, path, mkv_tree_lookup(tree, first), &err),
		0);
}

static inline mkv_unused struct mkv_tree *sample_empty(void)
{
	struct mkv_error err;
	struct mkv_tree *tree = NULL;
	assert_int_equal(mkv_tree_new(SAMPLE_EPOCH, &tree, &err), 0);
	return tree;
}

/* Directories, files, links of both kinds, devices, a pipe, unusual owners,
 * modes, times and attributes, names that need escapes. */
static inline mkv_unused struct mkv_tree *sample_tree(void)
{
	static const uint8_t capability[20] = {1, 0, 0, 2, 0, 0x20};
	struct mkv_error err;
	struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/usr/bin/ping", "ELF");
	sample_link(tree, "/usr/bin/ping4", "/usr/bin/ping");
	struct mkv_inode *ping = mkv_tree_lookup(tree, "/usr/bin/ping");
	ping->mode = S_IFREG | 04755;
	assert_int_equal(mkv_inode_set_xattr(ping, "security.capability",
					     capability, sizeof(capability),
					     &err),
			 0);
	assert_int_equal(mkv_inode_set_xattr(ping, "user.a=b c", "", 0, &err),
			 0);
	assert_int_equal(mkv_tree_put_symlink(tree, "/bin", "usr/bin", &err),
			 0);
	char target[201] = "";
	memset(target, 't', 200);
	assert_int_equal(mkv_tree_put_symlink(tree, "/etc/long", target, &err),
			 0);
	assert_int_equal(
		mkv_tree_put_symlink(tree, "/etc/odd", "a b%\n\xff", &err), 0);
	sample_file(tree, "/etc/with space%\n\x01\xc3\xa4\xff", "odd name");
	sample_file(tree, "/etc/empty", "");
	struct mkv_inode *device =
		sample_put(tree, "/dev-null", S_IFCHR | 0666);
	device->major = 1;
	device->minor = 3;
	device = sample_put(tree, "/dev-disk", S_IFBLK | 0660);
	device->major = 259;
	device->minor = 70000;
	(void)sample_put(tree, "/pipe", S_IFIFO | 0600);
	struct mkv_inode *tmp = sample_put(tree, "/tmp", S_IFDIR | 01777);
	tmp->uid = 100000;
	tmp->gid = 4000000000;
	sample_file(tree, "/home/old", "from before the epoch");
	mkv_tree_lookup(tree, "/home/old")->mtime_s = -86400;
	sample_file(tree, "/home/new", "from after 2038");
	mkv_tree_lookup(tree, "/home/new")->mtime_s = 5000000000;
	return tree;
}

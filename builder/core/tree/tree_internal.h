/* SPDX-License-Identifier: MIT */
#pragma once
/* Declarations that the tree's files share. */

#include "builder/core/tree/tree.h"

struct mkv_directory {
	struct mkv_tree_entry *entries; /* ascending byte order of names */
	size_t count;
	size_t capacity;
};

/* Sets all extended attributes of `from` on `to`. */
int mkv_inode_copy_xattrs(const struct mkv_inode *from, struct mkv_inode *to,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Two trees: how they differ, and the difference as an OCI layer. */

#include "builder/core/tree/tree.h"

/* What differs at a path, most telling first. */
enum mkv_tree_difference {
	MKV_ONLY_IN_A,
	MKV_ONLY_IN_B,
	MKV_DIFFERENT_TYPE, /* nothing else is compared then */
	MKV_DIFFERENT_SIZE, /* of a file; its content isn't compared then */
	MKV_DIFFERENT_CONTENT,
	MKV_DIFFERENT_TARGET, /* of a symbolic link */
	MKV_DIFFERENT_DEVICE,
	MKV_DIFFERENT_LINKS, /* not the same names share the inode */
	MKV_DIFFERENT_MODE,
	MKV_DIFFERENT_OWNER,
	MKV_DIFFERENT_XATTRS,
	MKV_DIFFERENT_MTIME,
};
/* "only in the first", "content", ... */
const char *mkv_tree_difference_name(enum mkv_tree_difference what);

/* One difference; `a` or `b` is NULL where only the other tree has the path. A
 * folder that only one has is told once, not what is in it. Negative, with *err
 * set, to stop. */
typedef int mkv_tree_differs(const char *path, enum mkv_tree_difference what,
			     struct mkv_inode *a, struct mkv_inode *b,
			     void *context, struct mkv_error *err);

/* Tells every difference, in the order of a walk. Uses the inodes' marks. */
int mkv_tree_compare(const struct mkv_tree *a, const struct mkv_tree *b,
		     mkv_tree_differs *differs, void *context,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);

/* The layer that makes `top` of `base` (OCI image-spec, layer.md): what is new
 * or changed, with its folders as they are in `top`, and an empty file
 * ".wh.NAME" for each name that is gone (the specification prefers these to
 * opaque folders). All names of an inode come together. A name in `top` that
 * begins with ".wh." can't be said in a layer: -EINVAL. Shares contents with
 * `top`. Uses the inodes' marks. */
int mkv_tree_diff(const struct mkv_tree *base, const struct mkv_tree *top,
		  struct mkv_tree **ret_layer,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Comparison of two trees, and their difference as an OCI layer. */

#include "builder/core/tree/tree.h"

/* What differs at a path, in the order of reporting. */
enum mkv_tree_difference {
	MKV_ONLY_IN_A,
	MKV_ONLY_IN_B,
	MKV_DIFFERENT_TYPE, /* then nothing else is compared */
	MKV_DIFFERENT_SIZE, /* of a file; then contents are not compared */
	MKV_DIFFERENT_CONTENT,
	MKV_DIFFERENT_TARGET, /* of a symbolic link */
	MKV_DIFFERENT_DEVICE,
	MKV_DIFFERENT_LINKS, /* different sets of names share the inode */
	MKV_DIFFERENT_MODE,
	MKV_DIFFERENT_OWNER,
	MKV_DIFFERENT_XATTRS,
	MKV_DIFFERENT_MTIME,
};
/* "only in the first", "content", ... */
const char *mkv_tree_difference_name(enum mkv_tree_difference what);

/* Called for each difference; `a` or `b` is NULL when only the other tree has
 * the path. For a directory that only one tree has, the callback runs once and
 * not for the entries below. A negative result, with *err set, stops the
 * comparison. */
typedef int mkv_tree_differs(const char *path, enum mkv_tree_difference what,
			     struct mkv_inode *a, struct mkv_inode *b,
			     void *context, struct mkv_error *err);

/* Reports every difference, in the order of mkv_tree_walk(). Uses the inodes'
 * marks. */
int mkv_tree_compare(const struct mkv_tree *a, const struct mkv_tree *b,
		     mkv_tree_differs *differs, void *context,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);

/* The layer that turns `base` into `top` (OCI image-spec, layer.md): new and
 * changed entries, with their parent directories as in `top`, and an empty file
 * ".wh.NAME" for each removed name (the specification prefers these whiteouts
 * to opaque ones). If one name of an inode changed, the layer has all its
 * names. A name in `top` that begins with ".wh." has no representation:
 * -EINVAL. Shares contents with `top`. Uses the inodes' marks. */
int mkv_tree_diff(const struct mkv_tree *base, const struct mkv_tree *top,
		  struct mkv_tree **ret_layer,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);

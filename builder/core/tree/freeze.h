/* SPDX-License-Identifier: MIT */
#pragma once
/* Contents that nobody can change any more: copies in a file without a name.
 * Files of overlays and programs are the user's, read once for their digest and
 * again when they are written; in between someone may edit them. */

#include "builder/core/tree/tree.h"

/* Replaces the content of every file of the tree by its copy, all of them in
 * one file in `folder`, which vanishes with them. Digests are those of the
 * copies. */
int mkv_tree_freeze(struct mkv_tree *tree, const char *folder,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* The same for one content. */
int mkv_content_freeze(const struct mkv_content *content, const char *folder,
		       struct mkv_content **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Private copies of contents, in an unnamed file that no other process can
 * edit. Overlays and programs are files of the user, read once for their digest
 * and again when they are written; without the copy, an edit in between would
 * go unnoticed. */

#include "builder/core/tree/tree.h"

/* Replaces the content of every file of the tree by a copy. All copies are in
 * one unnamed file in `directory`, freed with the last of them. Digests are
 * computed from the copies. */
int mkv_tree_freeze(struct mkv_tree *tree, const char *directory,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Copies one content into an unnamed file of its own. */
int mkv_content_freeze(const struct mkv_content *content, const char *directory,
		       struct mkv_content **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The list of files: a line for every entry of a tree, as docs/CONTRACT.md,
 * "The list of files", says. lib/listing.h reads it; the two share no code, so
 * that each checks the other. */

#include "builder/core/tree/tree.h"
#include "lib/buf.h"

/* Appends the list to `ret`. `except` (or NULL) names paths, ended by NULL,
 * that are left out with all below them. Digests that contents don't know yet
 * are computed. On failure `ret` is as it was. Uses the inodes' marks. */
int mkv_listing_write(const struct mkv_tree *tree, const char *const *except,
		      struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

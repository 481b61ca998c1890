/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes the list of files: one line per entry of a tree, in the format of
 * docs/CONTRACT.md, "The list of files". lib/listing.h reads the list; the two
 * share no code, so that each checks the other. */

#include "builder/core/tree/tree.h"
#include "lib/buf.h"

/* Appends the list to `ret`. `except`, if not NULL, is a NULL-terminated array
 * of paths that are left out with everything below. Missing digests of contents
 * are computed. On failure `ret` is unchanged. Uses the inodes' marks. */
int mkv_listing_write(const struct mkv_tree *tree, const char *const *except,
		      struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

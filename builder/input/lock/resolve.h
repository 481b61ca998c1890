/* SPDX-License-Identifier: MIT */
#pragma once
/* Resolves a recipe to a lock. */

#include "builder/input/lock/ensure.h"

/* Resolves a recipe; the caller owns *ret. `pinned` may be NULL; else its pins
 * are kept: its packages when the recipe requests the same names, otherwise its
 * indexes when the store has them, and its digests of external OCI images.
 * Everything else comes from the mirrors. */
int mkv_lock_resolve(const struct mkv_recipe *recipe, struct mkv_store *store,
		     const struct mkv_lock_options *options,
		     const struct mkv_lock *pinned,
		     struct mkv_progress *progress, struct mkv_lock **ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 6, 7);

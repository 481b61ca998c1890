/* SPDX-License-Identifier: MIT */
#pragma once
/* From a recipe to a lock. */

#include "builder/input/lock/ensure.h"

/* Resolves a recipe. `pinned`, when not NULL, is a lock to stay with: its
 * packages as they are when the recipe asks for the same ones, else its indexes
 * when they are in the store, and the digests of external OCI images. What else
 * is needed comes from the mirrors. */
int mkv_lock_resolve(const struct mkv_recipe *recipe, struct mkv_store *store,
		     const struct mkv_lock_options *options,
		     const struct mkv_lock *pinned,
		     struct mkv_progress *progress, struct mkv_lock **ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 6, 7);

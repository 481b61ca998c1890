/* SPDX-License-Identifier: MIT */
#pragma once
/* Local inputs: overlays, by the digest of their listing (overlay.h). */

#include "builder/input/lock/lock.h"

/* Adds these overlays (sorted) with their digests to lock->locals, which must
 * be empty. */
int mkv_lock_add_locals(struct mkv_lock *lock, const char *recipe_path,
			const struct mkv_strings *overlays,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Compares every local with its directory. *ret_changed is the first local
 * whose digest differs (borrowed from the lock), or NULL. */
int mkv_lock_compare_locals(const struct mkv_lock *lock,
			    const char *recipe_path,
			    const struct mkv_lock_local **ret_changed,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

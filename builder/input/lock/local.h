/* SPDX-License-Identifier: MIT */
#pragma once
/* Local inputs: overlays, by the digest of what they mean. */

#include "builder/input/lock/lock.h"

/* Fills lock->locals, which is empty, for these overlays (sorted). */
int mkv_lock_add_locals(struct mkv_lock *lock, const char *recipe_path,
			const struct mkv_strings *overlays,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Compares every local with its folder. *ret_changed is the first that differs,
 * NULL when none does. */
int mkv_lock_compare_locals(const struct mkv_lock *lock,
			    const char *recipe_path,
			    const struct mkv_lock_local **ret_changed,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

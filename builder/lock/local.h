/* SPDX-License-Identifier: MIT */
#pragma once
/* Local inputs: overlay folders, by the digest of their listing. */

#include "builder/lock/lock.h"

/* The digest of a folder: SHA-256 over one record per entry, in the order of a
 * walk (a folder before what is in it, names in byte order):
 *
 *     TYPE EXECUTABLE DIGEST PATH NUL [TARGET NUL]
 *
 * TYPE is d, f or l; EXECUTABLE x when the owner may execute a regular file, else
 * -; DIGEST the content's SHA-256 of a regular file, else -. Owners, other
 * permissions and times don't count: no version control keeps them. Anything else
 * than folders, regular files and symbolic links is refused. */
int mkv_lock_local_digest(const char *dir, struct mkv_sha256 *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The folder of an overlay: overlays/NAME beside the recipe, beside the recipe's
 * folder, or where the tool is installed. -ENOENT names the places. */
int mkv_lock_find_overlay(const char *recipe_path, const char *name, char **ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Fills lock->locals for these overlays. */
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

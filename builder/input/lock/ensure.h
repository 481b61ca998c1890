/* SPDX-License-Identifier: MIT */
#pragma once
/* Locks as commands use them: kept when they match, made when they are missing,
 * moved when asked to; and everything that a lock pins brought into the store.
 */

#include "builder/input/fetch/fetch.h"
#include "builder/input/lock/lock.h"

/* A zeroed struct asks for the usual. */
struct mkv_lock_options {
	const char *lock_path; /* NULL: the recipe's path with ".lock" */
	const char *mirrors;   /* URIs, separated by commas; NULL: the host's */
	const char *keyring;   /* NULL: Debian's archive keyring */
	bool update;	       /* resolve anew, whatever there is */
	bool repin;	       /* a lock that doesn't match is made to, with the
				  pinned indexes where they are at hand, instead of
				  being an error */
	bool locked;	       /* never resolve, never write */
	bool offline;
	bool allow_expired; /* releases past their Valid-Until: snapshots */
	struct mkv_fetch_options fetch; /* .mirrors and .offline are set here */
};

enum mkv_lock_state {
	MKV_LOCK_KEPT,	  /* it was there and matches */
	MKV_LOCK_MADE,	  /* there was none */
	MKV_LOCK_CHANGED, /* it was written anew; see *ret_before */
};

/* The lock of a recipe. A missing one is resolved and written, unless `locked`.
 * One that doesn't match the recipe is an error that names the difference and
 * what to do, unless `update` or `repin`; but overlays that changed since only
 * have their lines renewed, with a note, unless `locked`. `ret_before`, when
 * not NULL, is the lock as it was (NULL when there was none); `ret_state` may
 * be NULL. */
int mkv_lock_ensure(const struct mkv_recipe *recipe, struct mkv_store *store,
		    const struct mkv_lock_options *options,
		    struct mkv_progress *progress, struct mkv_lock **ret,
		    enum mkv_lock_state *ret_state,
		    struct mkv_lock **ret_before,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 8);

/* Brings every .deb of the lock into the store, each verified. */
int mkv_lock_fetch(const struct mkv_lock *lock, struct mkv_store *store,
		   const struct mkv_lock_options *options,
		   struct mkv_progress *progress,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);

/* "recipes/kvm.yaml" -> "recipes/kvm.lock"; caller's, NULL out of memory. */
char *mkv_lock_path_of(const char *recipe_path) mkv_must_check mkv_nonnull(1);
/* Opens the mirrors that options name, or the host's. */
int mkv_lock_open_mirrors(const struct mkv_lock_options *options,
			  struct mkv_mirrors *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Locks for commands: keeps a lock that matches its recipe, writes a missing
 * lock, updates a lock on request, and fetches the pinned inputs into the
 * store.
 */

#include "builder/input/fetch/fetch.h"
#include "builder/input/lock/lock.h"

/* All zero: the defaults. */
struct mkv_lock_options {
	const char *lock_path; /* NULL: mkv_lock_path_of() */
	const char *mirrors;   /* URIs, comma-separated; NULL: of the host */
	const char *keyring;   /* NULL: Debian's archive keyring */
	bool update;	       /* resolve again, ignoring the present lock */
	bool repin;	       /* update a lock that does not match, from the
				  pinned indexes when the store has them,
				  instead of failing */
	bool locked;	       /* never resolve, never write */
	bool offline;
	bool allow_expired; /* accept releases past Valid-Until (snapshots) */
	struct mkv_fetch_options fetch; /* .mirrors and .offline are ignored */
};

enum mkv_lock_state {
	MKV_LOCK_KEPT,	  /* the present lock matches */
	MKV_LOCK_MADE,	  /* no lock existed */
	MKV_LOCK_CHANGED, /* rewritten; *ret_before is the old lock */
};

/* Loads or writes the lock of a recipe. A missing lock is resolved and written,
 * with `locked` it is -ENOENT. A lock that does not match the recipe is -ESTALE
 * unless `update` or `repin`; the message names the difference and the command
 * that updates the lock. When only files of overlays changed, their digests are
 * updated with a note; with `locked`, that is -ESTALE too. The caller owns *ret
 * and *ret_before, which is the previous lock or NULL; `ret_state` and
 * `ret_before` may be NULL. */
int mkv_lock_ensure(const struct mkv_recipe *recipe, struct mkv_store *store,
		    const struct mkv_lock_options *options,
		    struct mkv_progress *progress, struct mkv_lock **ret,
		    enum mkv_lock_state *ret_state,
		    struct mkv_lock **ret_before,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 8);

/* Fetches every package and external OCI image of the lock into the store and
 * verifies its digest. */
int mkv_lock_fetch(const struct mkv_lock *lock, struct mkv_store *store,
		   const struct mkv_lock_options *options,
		   struct mkv_progress *progress,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);

/* The default lock of a recipe: "recipes/kvm.yaml" -> "recipes/kvm.lock". The
 * caller frees it; NULL without memory. */
char *mkv_lock_path_of(const char *recipe_path) mkv_must_check mkv_nonnull(1);
/* The mirrors that the options name, or those of the host, with apt's proxies.
 */
int mkv_lock_open_mirrors(const struct mkv_lock_options *options,
			  struct mkv_mirrors *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

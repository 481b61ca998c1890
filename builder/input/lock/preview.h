/* SPDX-License-Identifier: MIT */
#pragma once
/* Preview of what a build would do with the lock of a recipe. Neither resolves
 * packages nor writes a file. */

#include "builder/input/lock/ensure.h"

/* Ascending severity: of several differences, the highest value counts. */
enum mkv_lock_outlook {
	MKV_LOCK_FITS,	  /* exists and matches the recipe */
	MKV_LOCK_RENEWED, /* overlay files changed: a build pins their new
			     digests */
	MKV_LOCK_REFUSED, /* a build stops until `mkvbench lock` has run; no
			     pin of a package or OCI image changes, so `lock`
			     is what that run will write */
	MKV_LOCK_STALE,	  /* packages or OCI images must be resolved again */
	MKV_LOCK_MISSING, /* no lock file: a build writes one */
};

struct mkv_lock_preview {
	enum mkv_lock_outlook outlook;
	struct mkv_lock *lock; /* NULL when the outlook is stale or missing */
	struct mkv_strings differences; /* messages, one line each */
};
void mkv_lock_preview_done(struct mkv_lock_preview *preview) mkv_nonnull(1);
#define auto_lock_preview __attribute__((cleanup(mkv_lock_preview_done)))

/* `lock_path` NULL: the default of mkv_lock_path_of(). `ret` must be zeroed;
 * the caller owns what it holds. A missing lock is an outlook, an unreadable or
 * malformed lock is an error. */
int mkv_lock_preview_init(const struct mkv_recipe *recipe,
			  const char *lock_path, struct mkv_lock_preview *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

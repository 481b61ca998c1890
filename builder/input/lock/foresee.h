/* SPDX-License-Identifier: MIT */
#pragma once
/* What a build would find in its recipe's lock, without resolving or writing.
 */

#include "builder/input/lock/ensure.h"

enum mkv_lock_outlook {
	MKV_LOCK_FITS,	  /* it is there and matches */
	MKV_LOCK_RENEWED, /* overlays changed: a build pins them as they are */
	MKV_LOCK_REFUSED, /* a build stops until it is locked again, but what
			     is pinned stays so: `lock` is as it will be */
	MKV_LOCK_STALE,	  /* packages or OCI images must be resolved again */
	MKV_LOCK_MISSING, /* a build makes it */
};

struct mkv_lock_foresight {
	enum mkv_lock_outlook outlook;
	struct mkv_lock *lock;		/* NULL: stale or missing */
	struct mkv_strings differences; /* for people, a line each */
};
void mkv_lock_foresight_done(struct mkv_lock_foresight *foresight)
	mkv_nonnull(1);
#define auto_lock_foresight __attribute__((cleanup(mkv_lock_foresight_done)))

/* `lock_path` NULL: beside the recipe. */
int mkv_lock_foresee(const struct mkv_recipe *recipe, const char *lock_path,
		     struct mkv_lock_foresight *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);

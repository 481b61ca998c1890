/* SPDX-License-Identifier: MIT */
#pragma once
/* What moved between two locks. */

#include "builder/input/lock/lock.h"

struct mkv_lock_change {
	const char *what; /* "package", "local" or "external"; static */
	const char *name; /* borrowed from the locks, as are the next */
	const char *old,
		*new; /* version or digest; NULL: wasn't or isn't there */
};

/* Called for every change, sorted by kind and name. Digests of locals have no
 * text in a lock: both are then "". */
typedef int mkv_lock_visit_change(const struct mkv_lock_change *change,
				  void *context, struct mkv_error *err);
int mkv_lock_compare(const struct mkv_lock *before,
		     const struct mkv_lock *after, mkv_lock_visit_change *visit,
		     void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);

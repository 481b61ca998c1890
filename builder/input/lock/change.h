/* SPDX-License-Identifier: MIT */
#pragma once
/* Compares two locks: the pins that changed. */

#include "builder/input/lock/lock.h"

struct mkv_lock_change {
	const char *what;      /* "package", "local" or "external"; static */
	const char *name;      /* borrowed from a lock, like `old` and `new` */
	const char *old, *new; /* version or digest; NULL: not in that lock */
};

/* Called for every change, sorted by kind and name; a nonzero result ends the
 * comparison and becomes its result. For a local, `old` and `new` are "". */
typedef int mkv_lock_visit_change(const struct mkv_lock_change *change,
				  void *context, struct mkv_error *err);
int mkv_lock_compare(const struct mkv_lock *before,
		     const struct mkv_lock *after, mkv_lock_visit_change *visit,
		     void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);

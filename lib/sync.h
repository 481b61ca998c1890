/* SPDX-License-Identifier: MIT */
#pragma once
/* Whole folders put onto the disk. */

#include "lib/error.h"

/* fsync of every file and folder beneath `path`, and of itself. Links are not
 * followed. */
int mkv_sync_tree(const char *path, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* The same behind one's back, in a thread. */
struct mkv_syncing;
int mkv_syncing_start(const char *path, struct mkv_syncing **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Waits for its end, frees it and says how it went. */
int mkv_syncing_finish(struct mkv_syncing *syncing,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

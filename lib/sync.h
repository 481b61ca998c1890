/* SPDX-License-Identifier: MIT */
#pragma once
/* Syncs whole directories to the disk. */

#include "lib/error.h"

/* Calls fsync() for `path` and every file and directory below it. Links are not
 * followed. */
int mkv_sync_tree(const char *path, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* Asynchronous variant: runs mkv_sync_tree() on a background thread. */
struct mkv_syncing;
int mkv_syncing_start(const char *path, struct mkv_syncing **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Waits for the thread, frees `syncing`, and returns mkv_sync_tree()'s result.
 */
int mkv_syncing_finish(struct mkv_syncing *syncing,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

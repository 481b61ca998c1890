/* SPDX-License-Identifier: MIT */
#pragma once
/* Names and locks of staging directories: OUTPUT/.NAME.new.PID[.N]. The build
 * that writes one holds a lock (flock) on the directory until it exits, so a
 * directory whose lock can be taken belongs to no running build. The process id
 * only makes names differ: builds in several PID namespaces can have the same
 * id. */

#include "builder/build/staging.h"

/* Creates and locks a directory that no other build uses. */
int mkv_staging_make(const char *output, const char *name, char **ret_path,
		     int *ret_lock, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* True while the path names the directory that `fd` is open on. */
bool mkv_staging_is_at(const char *path, int fd) mkv_nonnull(1);
/* Removes the directory at the path if `lock` is open on it or no build has
 * locked it (an appliance that a commit replaced). A directory that another
 * build has locked stays: -EAGAIN. */
int mkv_staging_remove(const char *path, int lock,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* Removes the staging directories of a recipe that no build has locked. */
void mkv_staging_remove_stale(const char *output, const char *name)
	mkv_nonnull(1, 2);
/* Waits for the threads of all parts and frees the parts; the first error. */
int mkv_staging_finish_parts(struct mkv_staging *staging,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

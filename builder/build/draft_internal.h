/* SPDX-License-Identifier: MIT */
#pragma once
/* Draft directories: OUTPUT/.NAME.new.PID[.N]. The build that writes one holds
 * a lock (flock) on the directory until it ends, so a draft whose lock can be
 * taken has no build. The process number only makes names differ: builds in
 * several PID namespaces can have the same one. */

#include "lib/error.h"

/* Makes a draft that no other build has, and locks it. */
int mkv_draft_make(const char *output, const char *name, char **ret_path,
		   int *ret_lock, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* True while the path names the directory that `fd` is open on. */
bool mkv_draft_is_at(const char *path, int fd) mkv_nonnull(1);
/* Removes what the path names: the directory that `lock` is open on, or one
 * that no build has locked (an appliance that a commit replaced). What another
 * build has locked stays: -EAGAIN. */
int mkv_draft_remove(const char *path, int lock,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* Removes the drafts of a recipe that no build has locked. */
void mkv_draft_remove_stale(const char *output, const char *name)
	mkv_nonnull(1, 2);

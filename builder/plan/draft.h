/* SPDX-License-Identifier: MIT */
#pragma once
/* The folder in which an appliance is written, beside its place: it goes when
 * the build fails, when it is interrupted (SIGINT, SIGTERM, SIGHUP), and, should
 * the tool be killed outright, when the next build of the recipe starts. */

#include "lib/error.h"

struct mkv_draft {
	char *path;
	struct mkv_syncing **parts; /* on their way onto the disk */
	size_t n_parts;
};

/* From now on the three signals first remove drafts and then end the process as
 * they would have. Call once, before any thread is started. */
int mkv_draft_watch_signals(struct mkv_error *err) mkv_must_check
	mkv_nonnull(1);

/* Makes OUTPUT/.NAME.new.PID, and OUTPUT. */
int mkv_draft_new(const char *output, const char *name, struct mkv_draft *ret,
		  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* A folder in it won't change any more: its way onto the disk, which the commit
 * would wait for, begins while the rest is written. */
int mkv_draft_finish_part(struct mkv_draft *draft, const char *path,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Syncs it and puts it into its place, OUTPUT/NAME, in one step; what was there goes. */
int mkv_draft_commit(struct mkv_draft *draft, const char *place,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
void mkv_draft_done(struct mkv_draft *draft) mkv_nonnull(1);
#define auto_draft __attribute__((cleanup(mkv_draft_done)))

/* SPDX-License-Identifier: MIT */
#pragma once
/* The folder in which an appliance is written, beside its place: it goes when
 * the build fails, when it is interrupted (SIGINT, SIGTERM, SIGHUP), and,
 * should the tool be killed outright, when the next build of the recipe starts.
 */

#include "builder/build/artifacts.h"

struct mkv_draft_part;
struct mkv_draft {
	char *path;
	struct mkv_draft_part **parts; /* finished */
	size_t n_parts;
};

/* From now on the three signals first remove drafts and then end the process as
 * they would have. Call once, before any thread is started. */
int mkv_draft_watch_signals(struct mkv_error *err) mkv_must_check
	mkv_nonnull(1);

/* 0 when an appliance may be put there: nothing is, or an empty folder, or an
 * appliance, which would be replaced. Anything else is someone's, and
 * MKV_BAD_USAGE. */
int mkv_draft_check_place(const char *place,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* Makes OUTPUT/.NAME.new.PID, and OUTPUT. Checks the place first. */
int mkv_draft_new(const char *output, const char *name, struct mkv_draft *ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);
/* The folder NAME in it won't change any more: its files are hashed and on
 * their way onto the disk, which the commit would wait for, while the rest is
 * written. */
int mkv_draft_finish_part(struct mkv_draft *draft, const char *name,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* All files in it and their digests. */
int mkv_draft_artifacts(struct mkv_draft *draft, struct mkv_artifacts *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Syncs it and puts it into its place, OUTPUT/NAME, in one step; what was there
 * goes, if the place still passes the check. */
int mkv_draft_commit(struct mkv_draft *draft, const char *place,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_draft_done(struct mkv_draft *draft) mkv_nonnull(1);
#define auto_draft __attribute__((cleanup(mkv_draft_done)))

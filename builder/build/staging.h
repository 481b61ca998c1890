/* SPDX-License-Identifier: MIT */
#pragma once
/* The staging directory in which an appliance is written, in the same directory
 * as the finished appliance. It is removed when the build fails or is
 * interrupted (SIGINT, SIGTERM, SIGHUP); when the tool was killed, the next
 * build of the recipe removes it. The build, and the children that it forks,
 * hold a lock on the staging directory: one that can be locked belongs to no
 * running build, in any PID namespace. On a network file system the lock works
 * among the builds of one host. */

#include "builder/build/artifacts.h"

struct mkv_staging_part;
struct mkv_staging {
	char *path;
	int lock; /* open on the directory; -1 after the commit */
	struct mkv_staging_part **parts; /* finished ones */
	size_t n_parts;
};

/* Makes the three signals remove the staging directory before they terminate
 * the process. Call once, before any thread is started. */
int mkv_staging_watch_signals(struct mkv_error *err) mkv_must_check
	mkv_nonnull(1);

/* 0 when an appliance may be placed at this path: it is missing, an empty
 * directory, or an appliance, which would be replaced. Anything else is never
 * overwritten: MKV_BAD_USAGE. */
int mkv_staging_check_place(const char *place,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* Checks the place OUTPUT/NAME, removes staging directories of this recipe that
 * no build has locked, and creates OUTPUT/.NAME.new.PID[.N]. */
int mkv_staging_new(const char *output, const char *name,
		    struct mkv_staging *ret,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Declares the directory NAME in the staging directory complete: threads hash
 * and sync its files while the build writes the rest. */
int mkv_staging_finish_part(struct mkv_staging *staging, const char *name,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* All files of the staging directory and their digests. */
int mkv_staging_artifacts(struct mkv_staging *staging,
			  struct mkv_artifacts *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Syncs the staging directory and renames it to its place, OUTPUT/NAME,
 * atomically. A previous appliance is removed, if the place still passes
 * mkv_staging_check_place(). */
int mkv_staging_commit(struct mkv_staging *staging, const char *place,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Removes the staging directory, or the appliance that the commit replaced. */
void mkv_staging_done(struct mkv_staging *staging) mkv_nonnull(1);
#define auto_staging __attribute__((cleanup(mkv_staging_done)))

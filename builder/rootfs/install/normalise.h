/* SPDX-License-Identifier: MIT */
#pragma once
/* What installing leaves behind that depends on when and where it was done, and
 * what becomes of it: one table of rules, each with its reason. */

#include <stdint.h>

#include "lib/buf.h"

enum mkv_normalise_action {
	MKV_KEEP,
	MKV_REMOVE,	  /* with all below it */
	MKV_REMOVE_FILES, /* whatever isn't a folder: packages own the folders
			   */
	MKV_EMPTY,	  /* a file's bytes */
	MKV_REWRITE,	  /* by the rule's function */
};

struct mkv_normalise_rule {
	/* fnmatch(3) with FNM_PATHNAME; a slash and two stars at the end mean
	 * everything below. */
	const char *pattern;
	enum mkv_normalise_action action;
	/* New content for the old; for MKV_REWRITE. */
	int (*rewrite)(const struct mkv_buf *from, int64_t epoch_s,
		       struct mkv_buf *to, struct mkv_error *err);
	const char *reason;
};

/* In order; the first that matches counts. Ends with a NULL pattern. */
extern const struct mkv_normalise_rule mkv_normalise_rules[];
/* The rule for a path, or NULL: keep. */
const struct mkv_normalise_rule *mkv_normalise_find(const char *path)
	mkv_nonnull(1);

/* Times that files keep: those that packages brought. Whatever else is there
 * was made while installing and gets the epoch, as does what is later than it.
 * That way no clock matters, not even a wrong one. */
struct mkv_known_times {
	int64_t *times; /* ascending once finished */
	size_t count, capacity;
};
int mkv_known_times_add(struct mkv_known_times *known, int64_t time_s,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
void mkv_known_times_finish(struct mkv_known_times *known) mkv_nonnull(1);
int64_t mkv_known_times_clamp(const struct mkv_known_times *known,
			      int64_t time_s, int64_t epoch_s) mkv_nonnull(1);
void mkv_known_times_done(struct mkv_known_times *known) mkv_nonnull(1);

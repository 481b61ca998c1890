/* SPDX-License-Identifier: MIT */
#pragma once
/* One table of rules, each with its reason, for files of an installed system
 * whose content depends on the time and place of the installation. */

#include <stdint.h>

#include "lib/buf.h"

enum mkv_normalise_action {
	MKV_KEEP,
	MKV_REMOVE,	  /* the path and everything below it */
	MKV_REMOVE_FILES, /* all but directories, which packages own */
	MKV_EMPTY,	  /* a regular file becomes empty */
	MKV_REWRITE,	  /* a regular file, by the rule's function */
};

struct mkv_normalise_rule {
	/* fnmatch(3) with FNM_PATHNAME; a final slash and two stars match
	 * everything below; in the middle they match any directories. */
	const char *pattern;
	enum mkv_normalise_action action;
	/* For MKV_REWRITE: appends the new content for the old to `to`. */
	int (*rewrite)(const struct mkv_buf *from, int64_t epoch_s,
		       struct mkv_buf *to, struct mkv_error *err);
	const char *reason;
};

/* The first matching rule applies. Ends with a NULL pattern. */
extern const struct mkv_normalise_rule mkv_normalise_rules[];
/* The rule for a path, or NULL: the path is kept as it is. */
const struct mkv_normalise_rule *mkv_normalise_find(const char *path)
	mkv_nonnull(1);

/* The modification times that packages contain, in seconds since 1970. Only
 * files with such a time keep it: any other file was written during the
 * installation and gets the epoch, as does a file with a later time than the
 * epoch. The result is therefore independent of the host's clock. */
struct mkv_known_times {
	int64_t *times; /* ascending after mkv_known_times_finish() */
	size_t count;
};
int mkv_known_times_add(struct mkv_known_times *known, int64_t time_s,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* Sorts the times; must be called before mkv_known_times_clamp(). */
void mkv_known_times_finish(struct mkv_known_times *known) mkv_nonnull(1);
/* The normalised time of a file. */
int64_t mkv_known_times_clamp(const struct mkv_known_times *known,
			      int64_t time_s, int64_t epoch_s) mkv_nonnull(1);
void mkv_known_times_done(struct mkv_known_times *known) mkv_nonnull(1);

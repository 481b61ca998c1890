/* SPDX-License-Identifier: MIT */
#pragma once
/* A program's settings: MKVBENCH_NAME of the environment, else NAME=VALUE of
 * the file that MKVBENCH_SETTINGS names (a line each, '#' begins a comment),
 * else the default. What a program knows stands in tables, from which it reads,
 * checks and prints them. */

#include <stdint.h>

#include "lib/buf.h"

enum mkv_setting_kind {
	MKV_SETTING_TEXT,
	MKV_SETTING_WORD,     /* one of `words` */
	MKV_SETTING_INTEGER,  /* decimal */
	MKV_SETTING_SIZE,     /* bytes, or with B, kB, MB, GB, KiB, MiB, GiB */
	MKV_SETTING_DURATION, /* microseconds, or with us, ms, s */
};

struct mkv_service_setting {
	const char *name; /* "LARGE_FILE" */
	enum mkv_setting_kind kind;
	const char *absent; /* as it would be written; NULL: none */
	int64_t min, max;   /* of numbers; `max` of a text: bytes (0: 4096) */
	const char *words;  /* "none data" */
	const char *doc;
	/* Where it goes, both optional: */
	int64_t *number;   /* for a word, which one */
	const char **text; /* borrowed; NULL when there is none */
};

/* Reads the file, when there is one. */
int mkv_settings_load(struct mkv_error *err) mkv_must_check mkv_nonnull(1);
/* Forgets the file. */
void mkv_settings_done(void);

/* Reads and checks a table, which ends with a NULL name. What is wrong is told
 * with its limits. */
int mkv_settings_read(const struct mkv_service_setting *table,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Refuses a line of the file that no table (ends with NULL) has. */
int mkv_settings_check_file(const struct mkv_service_setting *const *tables,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* A line for each: name, default, limits, what it is, separated by tabs. */
void mkv_settings_print(const struct mkv_service_setting *table,
			struct mkv_buf *into) mkv_nonnull(1, 2);

/* Borrowed; `name` without the prefix: "PORT". Never empty: an empty value is
 * as good as none. */
const char *mkv_settings_text(const char *name, const char *absent)
	mkv_nonnull(1);

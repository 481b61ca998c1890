/* SPDX-License-Identifier: MIT */
#pragma once
/* Settings of a program. The value of NAME is the first of
 *
 *   1. the line NAME=VALUE of /run/mkvbench/overrides/PROGRAM.env, where the
 *      agent writes what a campaign varies (MKVBENCH_OVERRIDES_DIR names
 *      another directory). In a value, `\\` is a backslash and `\n` a newline;
 *   2. MKVBENCH_NAME of the environment;
 *   3. the line NAME=VALUE of the file that MKVBENCH_SETTINGS names;
 *   4. the default.
 *
 * In both files '#' begins a line of comment. Tables define the settings of a
 * program; they are read, checked and printed from there. */

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
	const char *default_value; /* as text; NULL: none */
	int64_t min, max;  /* of numbers; `max` of a text: bytes (0: 4096) */
	const char *words; /* allowed words: "none data" */
	const char *doc;
	/* Where the value is stored, both optional: */
	int64_t *number;   /* of a word: its index */
	const char **text; /* borrowed; NULL without value and default */
};

#define MKV_SETTINGS_OVERRIDES "/run/mkvbench/overrides"

/* Appends a line of an overrides file, with its newline. */
void mkv_settings_put_override(struct mkv_buf *into, const char *name,
			       const char *value) mkv_nonnull(1, 2, 3);

/* Reads the overrides of `program` ("order"), if it has any, and the file that
 * MKVBENCH_SETTINGS names, if set. */
int mkv_settings_load(const char *program, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Frees the contents of the files and all borrowed values. */
void mkv_settings_done(void);

/* Reads and checks the settings of a table, which ends with a NULL name. The
 * error of an invalid value contains the limits. */
int mkv_settings_read(const struct mkv_service_setting *table,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Refuses a file with a setting that is in none of the tables, a list that ends
 * with NULL. */
int mkv_settings_check_files(const struct mkv_service_setting *const *tables,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Appends one line per setting: name, default, limits and description,
 * separated by tabs. */
void mkv_settings_print(const struct mkv_service_setting *table,
			struct mkv_buf *into) mkv_nonnull(1, 2);

/* The value of a setting, borrowed; `name` without the prefix: "PORT". An empty
 * value counts as unset. */
const char *mkv_settings_text(const char *name, const char *default_value)
	mkv_nonnull(1);

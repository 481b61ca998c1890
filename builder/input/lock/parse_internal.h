/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by parse.c, which checks the order of lines and the conditions between
 * them, and parse_rows.c, which reads one line of each kind. */

#include "builder/input/lock/line.h"
#include "builder/input/lock/lock.h"

/* The kinds of lines, in the order of the file. */
enum mkv_line_kind {
	MKV_LINE_HEADER,
	MKV_LINE_RECIPE,
	MKV_LINE_EPOCH,
	MKV_LINE_INDEX,
	MKV_LINE_PACKAGE,
	MKV_LINE_WANT,
	MKV_LINE_IN,
	MKV_LINE_LOCAL,
	MKV_LINE_EXTERNAL,
	MKV_LINE_KINDS,
};

struct mkv_lock_reading {
	struct mkv_lock *lock;
	enum mkv_line_kind last;
	unsigned lines;
	uint64_t total_bytes;
	size_t *member_of; /* per package: 1 + the last set that lists it */
};

struct mkv_line_row {
	const char *keyword;
	size_t fields; /* with the keyword */
	int (*read)(struct mkv_lock_reading *r,
		    const struct mkv_lock_line *line, struct mkv_error *err);
};
extern const struct mkv_line_row mkv_line_rows[MKV_LINE_KINDS];

/* SPDX-License-Identifier: MIT */
#pragma once
/* A line of a lock: its fields and what they hold. An error names file, line
 * and column. */

#include "lib/hash.h"

enum { MKV_LOCK_FIELDS_MAX = 8 };

/* One line, split into fields. */
struct mkv_lock_line {
	const char *path;
	unsigned number;
	char *text; /* NUL after each field */
	char *fields[MKV_LOCK_FIELDS_MAX];
	size_t count;
};

/* Cuts line->text, of `length` bytes, into fields: what is between two single
 * spaces is one. */
int mkv_line_split(struct mkv_lock_line *line, size_t length,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* -EINVAL, at a field. */
int mkv_line_bad(const struct mkv_lock_line *line, size_t field,
		 struct mkv_error *err, const char *format, ...)
	mkv_nonnull(1, 3, 4) mkv_printf(4, 5);
/* 1 to `most`. */
int mkv_line_number(const struct mkv_lock_line *line, size_t field,
		    uint64_t most, uint64_t *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);
int mkv_line_sha256(const struct mkv_lock_line *line, size_t field,
		    struct mkv_sha256 *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* A copy of a field that is valid; `what` says what it should have been. */
int mkv_line_text(const struct mkv_lock_line *line, size_t field,
		  bool (*is_valid)(const char *), const char *what, char **ret,
		  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5, 6);

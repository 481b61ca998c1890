/* SPDX-License-Identifier: MIT */
#pragma once
/* A line of a lock: splits it into fields and decodes them. Every error is
 * MKV_BAD_RECIPE, -EINVAL, and names file, line and column. */

#include "lib/hash.h"

enum { MKV_LOCK_FIELDS_MAX = 8 };

struct mkv_lock_line {
	const char *path;
	unsigned number;
	char *text; /* NUL after each field */
	char *fields[MKV_LOCK_FIELDS_MAX];
	size_t count;
};

/* Splits line->text of `length` bytes in place, at every space. */
int mkv_line_split(struct mkv_lock_line *line, size_t length,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* Records an error at a field; returns -EINVAL. */
int mkv_line_bad(const struct mkv_lock_line *line, size_t field,
		 struct mkv_error *err, const char *format, ...)
	mkv_nonnull(1, 3, 4) mkv_printf(4, 5);
/* Decodes a decimal number from 1 to `max`. */
int mkv_line_number(const struct mkv_lock_line *line, size_t field,
		    uint64_t max, uint64_t *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);
int mkv_line_sha256(const struct mkv_lock_line *line, size_t field,
		    struct mkv_sha256 *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* Copies a valid field; the caller owns *ret. `what` names the expected value
 * in the message: "a version". */
int mkv_line_text(const struct mkv_lock_line *line, size_t field,
		  bool (*is_valid)(const char *), const char *what, char **ret,
		  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5, 6);

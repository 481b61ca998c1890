/* SPDX-License-Identifier: MIT */
#pragma once
/* The findings of a check: what was expected, what was observed, and where it
 * was read. Unreadable data is "not established", never "pass". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum mkv_result {
	MKV_NOT_PROMISED, /* the contract says nothing about it */
	MKV_PASS,
	MKV_NOT_ESTABLISHED, /* can't be told here; never a pass */
	MKV_FAIL,
};
const char *mkv_result_name(enum mkv_result result);

/* One comparison. All text is owned; NULL when memory ran out. */
struct mkv_finding {
	enum mkv_result result;
	char *what;	/* "L3 unified" */
	char *expected; /* NULL: nothing promised */
	char *observed; /* NULL: nothing was to be seen */
	char *source;	/* where it was read: a path, a leaf, a socket */
};

/* A check's findings. */
struct mkv_answer {
	struct mkv_finding *items;
	size_t count;
	size_t capacity;
	bool failed; /* memory ran out: not established */
};
void mkv_answer_done(struct mkv_answer *answer) mkv_nonnull(1);
#define auto_answer __attribute__((cleanup(mkv_answer_done)))

/* The worst of the findings: a fail, else a not established, else a pass; no
 * finding at all is not promised. */
enum mkv_result mkv_answer_result(const struct mkv_answer *answer)
	mkv_nonnull(1);

/* Appends a finding; `expected` and `observed` may be NULL and are copied. */
void mkv_answer_add(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *observed) mkv_nonnull(1, 3, 4);
/* Compares: not promised without `expected`, not established without
 * `observed`. Returns the result. */
enum mkv_result mkv_answer_compare(struct mkv_answer *answer, const char *what,
				   const char *source, const char *expected,
				   const char *observed) mkv_nonnull(1, 2, 3);
/* The same for numbers; below zero means not promised or not seen. */
enum mkv_result mkv_answer_number(struct mkv_answer *answer, const char *what,
				  const char *source, int64_t expected,
				  int64_t observed) mkv_nonnull(1, 2, 3);
/* A finding with printed text for what was observed. */
void mkv_answer_say(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *format, ...) mkv_nonnull(1, 3, 4, 6)
	mkv_printf(6, 7);

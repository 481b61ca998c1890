/* SPDX-License-Identifier: MIT */
#pragma once
/* The findings of a check: the expected value, the observed value, and its
 * source. Unreadable data is "not established", never "pass". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum mkv_result {
	MKV_NOT_PROMISED, /* the contract has no such promise */
	MKV_PASS,
	MKV_NOT_ESTABLISHED, /* not readable, or not precisely enough */
	MKV_FAIL,
};
const char *mkv_result_name(enum mkv_result result);

/* One comparison. All texts are owned; NULL also when out of memory. */
struct mkv_finding {
	enum mkv_result result;
	char *what;	/* "L3 unified" */
	char *expected; /* NULL: nothing promised */
	char *observed; /* NULL: not readable */
	char *source;	/* what was read: a path, a leaf, a socket */
};

/* A check's findings. */
struct mkv_answer {
	struct mkv_finding *items;
	size_t count;
	size_t capacity;
	bool failed; /* out of memory: not established */
};
void mkv_answer_done(struct mkv_answer *answer) mkv_nonnull(1);
#define auto_answer __attribute__((cleanup(mkv_answer_done)))

/* The worst result of the findings: fail, else not established, else pass. Not
 * promised without any finding. */
enum mkv_result mkv_answer_result(const struct mkv_answer *answer)
	mkv_nonnull(1);

/* Appends a finding; `expected` and `observed` may be NULL and are copied. */
void mkv_answer_add(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *observed) mkv_nonnull(1, 3, 4);
/* Appends a comparison of two texts and returns its result: not promised
 * without `expected`, not established without `observed`. */
enum mkv_result mkv_answer_compare(struct mkv_answer *answer, const char *what,
				   const char *source, const char *expected,
				   const char *observed) mkv_nonnull(1, 2, 3);
/* Appends a comparison of two numbers; below 0: not promised, or not readable.
 */
enum mkv_result mkv_answer_number(struct mkv_answer *answer, const char *what,
				  const char *source, int64_t expected,
				  int64_t observed) mkv_nonnull(1, 2, 3);
/* Appends a finding whose observed text is formatted. */
void mkv_answer_say(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *format, ...) mkv_nonnull(1, 3, 4, 6)
	mkv_printf(6, 7);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Errors: a fallible function returns 0 or a negative errno and takes a
 * `struct mkv_error` last. It never prints and never exits: main does. */

#include "lib/auto.h"

/* The kind of a failure, which decides the exit status. */
enum mkv_error_kind {
	MKV_FAILED = 1,	     /* the tool failed: I/O, memory, network, bug */
	MKV_BAD_USAGE = 2,   /* bad command line */
	MKV_BAD_RECIPE = 3,  /* bad recipe or lock */
	MKV_HOST_CANNOT = 4, /* this host cannot do what was requested */
	MKV_UNVERIFIED = 5,  /* an invalid signature, digest or contract */
};

enum { MKV_ERROR_MESSAGE_MAX = 2048, MKV_ERROR_SUGGESTION_MAX = 64 };

/* Lives on the caller's stack; nothing in it is allocated. */
struct mkv_error {
	enum mkv_error_kind kind;
	int code; /* positive errno */
	char message[MKV_ERROR_MESSAGE_MAX];
	/* What a mistyped word of the user should have been; empty: unknown. */
	char suggestion[MKV_ERROR_SUGGESTION_MAX];
};

/* Records an error and returns -code (-EIO where code is 0). `%m` in the format
 * means code. A negative code is taken as its absolute value. */
int mkv_fail(struct mkv_error *err, enum mkv_error_kind kind, int code,
	     const char *format, ...) mkv_nonnull(1, 4) mkv_printf(4, 5);

/* Puts context in front of a recorded error, "CONTEXT: MESSAGE", and returns rc
 * as it is. */
int mkv_wrap(struct mkv_error *err, int rc, const char *format, ...)
	mkv_nonnull(1, 3) mkv_printf(3, 4);

/* Records the likely correction of a mistyped word in a recorded error, whose
 * message has it too. Returns rc. NULL, and a word that is too long, are not
 * recorded. */
int mkv_error_suggest(struct mkv_error *err, int rc, const char *word)
	mkv_nonnull(1);

/* Records that the process is out of memory; returns -ENOMEM. */
int mkv_oom(struct mkv_error *err) mkv_nonnull(1);

/* The exit status that the manual page promises for a kind: 1 failed, 2 bad
 * usage or recipe, 3 the host cannot do it, 4 verification failed. */
int mkv_exit_status(enum mkv_error_kind kind);

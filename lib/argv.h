/* SPDX-License-Identifier: MIT */
#pragma once
/* An argument vector of a program, built argument by argument. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct mkv_argv {
	char **items; /* NULL-terminated after the first mkv_argv_add() */
	size_t count;
	bool failed; /* out of memory: check before use */
};
/* Appends a formatted argument. */
void mkv_argv_add(struct mkv_argv *argv, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
void mkv_argv_done(struct mkv_argv *argv) mkv_nonnull(1);
#define auto_argv __attribute__((cleanup(mkv_argv_done)))

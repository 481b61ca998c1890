/* SPDX-License-Identifier: MIT */
#pragma once
/* Progress of long work, to stderr: on a terminal one line that renews itself
 * (step, bytes, rate, time left), elsewhere a plain line at begin and end, with
 * --json one JSON object a line, with --quiet nothing. Every call accepts NULL;
 * mkv_progress_advance() may be called from any thread. */

#include <stdint.h>

#include "lib/error.h"

enum mkv_progress_mode {
	MKV_PROGRESS_AUTO,
	MKV_PROGRESS_JSON,
	MKV_PROGRESS_QUIET,
};

struct mkv_progress;
struct mkv_progress *
mkv_progress_new(enum mkv_progress_mode mode) mkv_must_check;
void mkv_progress_free(struct mkv_progress *progress);
MKV_DEFINE_AUTO(progress, struct mkv_progress *, mkv_progress_free)
#define auto_progress mkv_auto(progress)

/* A step starts: "fetch 84 packages". `total_bytes` 0: not known. Steps don't
 * nest; a step that begins ends the one before. */
void mkv_progress_begin(struct mkv_progress *progress, uint64_t total_bytes,
			const char *format, ...) mkv_printf(3, 4);
void mkv_progress_advance(struct mkv_progress *progress, uint64_t bytes);
/* The step ended; `format` may be NULL or add a note ("cached"). */
void mkv_progress_end(struct mkv_progress *progress, const char *format, ...)
	mkv_printf(2, 3);
/* A line of its own, for what a user must know in any mode but quiet. */
void mkv_progress_note(struct mkv_progress *progress, const char *format, ...)
	mkv_printf(2, 3);

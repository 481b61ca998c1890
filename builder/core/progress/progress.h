/* SPDX-License-Identifier: MIT */
#pragma once
/* Progress of long work, to stderr: on a terminal one line that is redrawn
 * (step, bytes, rate, time left), elsewhere a plain line when a step begins and
 * one when it ends, with --json one JSON object per line, with --quiet nothing.
 * Every function accepts NULL. All of them may be called from any thread. */

#include <stdint.h>

#include "lib/error.h"

enum mkv_progress_mode {
	MKV_PROGRESS_AUTO,
	MKV_PROGRESS_JSON,
	MKV_PROGRESS_QUIET,
};

/* The mode for the options --json and --quiet; --quiet takes precedence. */
static inline enum mkv_progress_mode mkv_progress_mode(bool json, bool quiet)
{
	return quiet  ? MKV_PROGRESS_QUIET
	       : json ? MKV_PROGRESS_JSON
		      : MKV_PROGRESS_AUTO;
}

struct mkv_progress;
struct mkv_progress *
mkv_progress_new(enum mkv_progress_mode mode) mkv_must_check;
void mkv_progress_free(struct mkv_progress *progress);
MKV_DEFINE_AUTO(progress, struct mkv_progress *, mkv_progress_free)
#define auto_progress mkv_auto(progress)

/* A handle of a begun step. Zeroed: no step. */
struct mkv_progress_step {
	struct mkv_progress *progress;
	uint64_t number;
};

/* Begins a step: "fetch 84 packages". `total_bytes` is 0 when unknown. Steps
 * don't nest: beginning a step ends an open step as failed. */
struct mkv_progress_step
mkv_progress_begin(struct mkv_progress *progress, uint64_t total_bytes,
		   const char *format, ...) mkv_must_check mkv_printf(3, 4);
void mkv_progress_advance(struct mkv_progress *progress, uint64_t bytes);
/* Ends the step: as failed when `rc` is negative, else with the note `format`
 * ("cached"), or "done" when `format` is NULL. Does nothing when the step isn't
 * open. */
void mkv_progress_end(struct mkv_progress_step *step, int rc,
		      const char *format, ...) mkv_nonnull(1) mkv_printf(3, 4);
/* Cleanup function: a step that is still open when its scope ends was left by
 * an early return, and ends as failed. */
void mkv_progress_step_done(struct mkv_progress_step *step) mkv_nonnull(1);
#define auto_progress_step __attribute__((cleanup(mkv_progress_step_done)))

/* Prints a separate line, in every mode but quiet. */
void mkv_progress_note(struct mkv_progress *progress, const char *format, ...)
	mkv_printf(2, 3);

/* For the thread that handles SIGINT, SIGTERM and SIGHUP, before it ends the
 * process: ends the open step of this process as failed, which finishes the
 * terminal's line, and lets nobody print progress any more. Threads that try
 * block until the process is gone. Not for a signal handler. */
void mkv_progress_interrupt(void);

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

/* What --json and --quiet, which goes before it, ask for. */
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

/* A step that was begun. Zeroed: none. */
struct mkv_progress_step {
	struct mkv_progress *progress;
	uint64_t number;
};

/* A step starts: "fetch 84 packages". `total_bytes` 0: not known. Steps don't
 * nest: one that begins while another is open ends that as failed. */
struct mkv_progress_step
mkv_progress_begin(struct mkv_progress *progress, uint64_t total_bytes,
		   const char *format, ...) mkv_must_check mkv_printf(3, 4);
void mkv_progress_advance(struct mkv_progress *progress, uint64_t bytes);
/* The step ended with `rc`, negative when it failed; `format` may be NULL or
 * say how it succeeded ("cached"). Nothing when the step isn't open. */
void mkv_progress_end(struct mkv_progress_step *step, int rc,
		      const char *format, ...) mkv_nonnull(1) mkv_printf(3, 4);
/* A step that is open when its scope ends has failed: by an early return. */
void mkv_progress_step_done(struct mkv_progress_step *step) mkv_nonnull(1);
#define auto_progress_step __attribute__((cleanup(mkv_progress_step_done)))

/* A line of its own, for what a user must know in any mode but quiet. */
void mkv_progress_note(struct mkv_progress *progress, const char *format, ...)
	mkv_printf(2, 3);

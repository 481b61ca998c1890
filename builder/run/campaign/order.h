/* SPDX-License-Identifier: MIT */
#pragma once
/* The signed commands of one attempt. */

#include "builder/run/campaign/conduct.h"

/* Journals and signs the commands of an attempt's steps, and appends the body
 * of POST /v1/run: the plan and the commands. `time_ns` is the journal's. */
int mkv_order_attempt(const struct mkv_conduct *conduct,
		      const struct mkv_plan_run *run, unsigned attempt,
		      const struct mkv_state *state, int64_t time_ns,
		      struct mkv_buf *ret_body,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 6, 7);
/* Journals and signs the command that lets the conductor delete its copy of an
 * attempt, and appends it. */
int mkv_order_discard(const struct mkv_conduct *conduct,
		      const struct mkv_plan_run *run, unsigned attempt,
		      const struct mkv_state *state, int64_t time_ns,
		      struct mkv_buf *ret_bundle,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 6, 7);

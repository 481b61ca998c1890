/* SPDX-License-Identifier: MIT */
#pragma once
/* The load generator: its unit, its results and its progress. */

#include "programs/campaign/agent/agent.h"

/* Runs the load of the job's command, and returns when its results are
 * complete. Requests that failed are no error: the results have them. */
int mkv_agent_load_run(struct mkv_agent_job *job,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Ends a load in progress, if there is one. */
int mkv_agent_load_stop(const struct mkv_agent *agent,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* progress.json of an attempt, owned by the caller; NULL: none. */
json_t *mkv_agent_load_progress(const struct mkv_agent *agent, const char *run,
				int64_t attempt) mkv_nonnull(1, 2);

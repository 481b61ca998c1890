/* SPDX-License-Identifier: MIT */
#pragma once
/* What the agent does in each step (docs/AGENT.md). */

#include "programs/campaign/agent/agent.h"

/* Runs the step of the job's command until it is done. -ECANCELED: aborted. */
int mkv_agent_step(struct mkv_agent_job *job,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* What an abort does before the step in progress has ended, so that it ends. */
void mkv_agent_interrupt(const struct mkv_agent *agent) mkv_nonnull(1);
/* Whether the load generator runs on this host. */
bool mkv_agent_has_loadgen(const struct mkv_agent *agent) mkv_nonnull(1);

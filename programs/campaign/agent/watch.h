/* SPDX-License-Identifier: MIT */
#pragma once
/* The verifier's watch of every minute, beside the steps. */

#include "programs/campaign/agent/agent.h"

/* A watch that sees a container in the middle of a restart would break the
 * receipt of the boot: docker-containers compares the state with "running".
 * Stops the timer and waits until a watch in progress has ended. */
int mkv_agent_watch_pause(struct mkv_agent_job *job,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Starts the timer. It is no error if the timer runs. */
int mkv_agent_watch_resume(const struct mkv_agent *agent,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Runs a watch now and waits for its receipt. A receipt that does not pass is
 * no error here: the state and the copies of the receipts show it. */
int mkv_agent_watch_look(struct mkv_agent_job *job,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The sequence of the command accepted last in this boot, in
 * RUN_DIR/agent/sequence: a restarted agent accepts no command again. */

#include "programs/campaign/agent/agent.h"

/* 0 when no command was accepted in this boot. */
int mkv_agent_sequence_load(const struct mkv_agent *agent, int64_t *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Returns when the number is on the disk. */
int mkv_agent_sequence_store(const struct mkv_agent *agent, int64_t sequence,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Other programs that a step runs: by argument vectors, each for a limited
 * time. */

#include "programs/campaign/agent/agent.h"

/* Runs a program, whose words end with NULL. `output` may be NULL; otherwise it
 * receives the standard output without trailing newlines. */
int mkv_agent_run(const struct mkv_agent *agent, const char *const *words,
		  struct mkv_buf *output, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
/* The value of a property of a systemd unit, systemctl(1), "show". */
int mkv_agent_unit_property(const struct mkv_agent *agent, const char *unit,
			    const char *property, struct mkv_buf *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);

/* SPDX-License-Identifier: MIT */
#pragma once
/* What an agent has accepted, and whether it accepts a command now. */

#include "lib/command.h"

enum mkv_agent_progress {
	MKV_AGENT_IDLE,
	MKV_AGENT_WORKING,
	MKV_AGENT_DONE,
	MKV_AGENT_FAILED,
};

struct mkv_agent_state {
	/* The attempt that was prepared last in this boot; run "": none. */
	char run[MKV_PLAN_ID_MAX];
	int64_t attempt;
	struct mkv_sha256 plan_sha256;
	/* The step that was accepted last; its progress is idle before the
	 * first. */
	enum mkv_command_step step;
	enum mkv_agent_progress progress;
	int64_t sequence; /* of the command accepted last; 0: none */
	char error[1024]; /* of a failed step */
	char detail[256]; /* what the step does now */
};

/* Why a command is refused. */
struct mkv_agent_refusal {
	unsigned status; /* of HTTP: 403 or 409 */
	const char *code;
	char message[256];
};

/* "idle", "working", "done", "failed" */
const char *mkv_agent_progress_name(enum mkv_agent_progress progress);

/* Whether an agent in this state accepts a verified and checked command. It is
 * the host `host` in the boot `boot_id`. */
bool mkv_agent_accepts(const struct mkv_agent_state *state, const char *host,
		       const char *boot_id, const struct mkv_command *command,
		       struct mkv_agent_refusal *ret) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Changes the state to that of an accepted command. */
void mkv_agent_accept(struct mkv_agent_state *state,
		      const struct mkv_command *command) mkv_nonnull(1, 2);

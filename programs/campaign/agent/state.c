/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/state.h"

#include <stdarg.h>
#include <string.h>

const char *mkv_agent_progress_name(enum mkv_agent_progress progress)
{
	static const char *const names[] = {
		[MKV_AGENT_IDLE] = "idle",
		[MKV_AGENT_WORKING] = "working",
		[MKV_AGENT_DONE] = "done",
		[MKV_AGENT_FAILED] = "failed",
	};
	return names[progress];
}

static bool mkv_printf(4, 5)
	refuse(struct mkv_agent_refusal *ret, unsigned status, const char *code,
	       const char *format, ...)
{
	va_list ap;
	ret->status = status;
	ret->code = code;
	va_start(ap, format);
	(void)vsnprintf(ret->message, sizeof(ret->message), format, ap);
	va_end(ap);
	return false;
}

static bool is_same_attempt(const struct mkv_agent_state *state,
			    const struct mkv_command *command)
{
	return strcmp(state->run, command->run) == 0 &&
	       state->attempt == command->attempt &&
	       mkv_sha256_equal(&state->plan_sha256, &command->plan_sha256);
}

/* Whether a step may follow the one that has ended. */
static bool follows(const struct mkv_agent_state *state,
		    enum mkv_command_step step)
{
	bool done = state->progress == MKV_AGENT_DONE;
	bool failed = state->progress == MKV_AGENT_FAILED;
	switch (step) {
	case MKV_STEP_LOAD:
		return state->step == MKV_STEP_PREPARE && done;
	case MKV_STEP_FINISH:
		/* After a load that failed, the services are still to be
		 * restored; a finish that failed may be repeated. */
		return (state->step == MKV_STEP_PREPARE && done) ||
		       (state->step == MKV_STEP_LOAD && (done || failed)) ||
		       (state->step == MKV_STEP_FINISH && failed);
	default:
		return false;
	}
}

static bool accepts_boot(const char *host, const char *boot_id,
			 const struct mkv_command *command,
			 struct mkv_agent_refusal *ret)
{
	const char *boot = mkv_command_boot(command, host);
	if (!boot)
		return refuse(ret, 403, "other-host",
			      "the command is not for host '%s'", host);
	if (strcmp(boot, boot_id) != 0)
		return refuse(
			ret, 403, "other-boot",
			"the command is for boot %s of this host, which is "
			"in boot %s",
			boot, boot_id);
	return true;
}

static bool accepts_step(const struct mkv_agent_state *state,
			 const struct mkv_command *command,
			 struct mkv_agent_refusal *ret)
{
	const char *name = mkv_command_step_name(command->step);
	bool same = is_same_attempt(state, command);
	if (command->step == MKV_STEP_DISCARD)
		return refuse(ret, 409, "not-here",
			      "only a conductor discards results");
	if (command->step != MKV_STEP_PREPARE && !same &&
	    !(command->step == MKV_STEP_ABORT && !state->run[0]))
		return refuse(ret, 409, "other-attempt",
			      "%s of attempt %lld of '%s', but %s%s", name,
			      (long long)command->attempt, command->run,
			      state->run[0] ? "the last prepare was of "
					    : "none is prepared",
			      state->run);
	if (state->progress == MKV_AGENT_WORKING &&
	    (command->step != MKV_STEP_ABORT || state->step == MKV_STEP_ABORT))
		return refuse(ret, 409, "busy", "the step %s is in progress",
			      mkv_command_step_name(state->step));
	if (command->step != MKV_STEP_PREPARE &&
	    command->step != MKV_STEP_ABORT && !follows(state, command->step))
		return refuse(ret, 409, "out-of-order",
			      "%s does not follow %s, which is %s", name,
			      mkv_command_step_name(state->step),
			      mkv_agent_progress_name(state->progress));
	return true;
}

bool mkv_agent_accepts(const struct mkv_agent_state *state, const char *host,
		       const char *boot_id, const struct mkv_command *command,
		       struct mkv_agent_refusal *ret)
{
	if (!accepts_boot(host, boot_id, command, ret))
		return false;
	if (command->sequence <= state->sequence)
		return refuse(
			ret, 409, "replayed",
			"sequence %lld is not larger than %lld, which was "
			"accepted",
			(long long)command->sequence,
			(long long)state->sequence);
	return accepts_step(state, command, ret);
}

void mkv_agent_accept(struct mkv_agent_state *state,
		      const struct mkv_command *command)
{
	*state = (struct mkv_agent_state){
		.attempt = command->attempt,
		.plan_sha256 = command->plan_sha256,
		.step = command->step,
		.progress = MKV_AGENT_WORKING,
		.sequence = command->sequence,
	};
	(void)snprintf(state->run, sizeof(state->run), "%s", command->run);
}

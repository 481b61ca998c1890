/* SPDX-License-Identifier: MIT */
#include "builder/run/campaign/order.h"

#include "builder/evidence/attest/attest.h"

/* One command, journaled before it can exist: its sequence is never used twice.
 */
static int sign_step(const struct mkv_conduct *conduct,
		     const struct mkv_plan_run *run, unsigned attempt,
		     const struct mkv_state *state, int64_t time_ns,
		     enum mkv_command_step step, struct mkv_buf *ret_bundle,
		     struct mkv_error *err)
{
	const struct mkv_plan *plan = conduct->plan;
	const struct mkv_plan_arm *arm = &plan->arms[run->arm];
	uint64_t sequence;
	struct mkv_command command = {
		.plan_sha256 = conduct->plan_sha256,
		.run = run->id,
		.attempt = attempt,
		.step = step,
		.settings = arm->settings,
		.tracing = arm->tracing,
		.load = plan->load,
	};
	int rc = mkv_sha256_parse(arm->contract_sha256,
				  &command.contract_sha256);
	if (rc < 0)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"the plan's contract of '%s' is no SHA-256",
				arm->name);
	command.load.seed = run->seed;
	auto_free struct mkv_contract_pair *boots =
		calloc(state->n_hosts + 1, sizeof(*boots));
	if (!boots)
		return mkv_oom(err);
	command.boots.items = boots;
	for (size_t i = 0; i < state->n_hosts; i++)
		if (state->hosts[i].boot_id)
			boots[command.boots.count++] =
				(struct mkv_contract_pair){
					state->hosts[i].name,
					state->hosts[i].boot_id};
	rc = mkv_bundle_next_sequence(conduct->bundle, time_ns, run->id,
				      attempt, mkv_command_step_name(step),
				      &sequence, err);
	if (rc < 0)
		return rc;
	command.sequence = (int64_t)sequence;
	return mkv_command_sign(conduct->key, &command, ret_bundle, err);
}

int mkv_order_attempt(const struct mkv_conduct *conduct,
		      const struct mkv_plan_run *run, unsigned attempt,
		      const struct mkv_state *state, int64_t time_ns,
		      struct mkv_buf *ret_body, struct mkv_error *err)
{
	static const enum mkv_command_step steps[] = {
		MKV_STEP_PREPARE, MKV_STEP_LOAD, MKV_STEP_FINISH,
		MKV_STEP_ABORT};
	mkv_buf_printf(ret_body, "{\"plan\":%s,\"commands\":[",
		       conduct->plan_bundle);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		mkv_buf_str(ret_body, i ? "," : "");
		int rc = sign_step(conduct, run, attempt, state, time_ns,
				   steps[i], ret_body, err);
		if (rc < 0)
			return rc;
	}
	mkv_buf_str(ret_body, "]}");
	return mkv_buf_check(ret_body, err);
}

int mkv_order_discard(const struct mkv_conduct *conduct,
		      const struct mkv_plan_run *run, unsigned attempt,
		      const struct mkv_state *state, int64_t time_ns,
		      struct mkv_buf *ret_bundle, struct mkv_error *err)
{
	return sign_step(conduct, run, attempt, state, time_ns,
			 MKV_STEP_DISCARD, ret_bundle, err);
}

/* SPDX-License-Identifier: MIT */
/* What operators send: attempts and commands. */
#include <stdio.h>
#include <string.h>

#include "lib/io.h"
#include "programs/campaign/conductor/conductor_internal.h"

static bool is_same_attempt(const struct mkv_run_order *order, const char *run,
			    int64_t attempt, const char *plan)
{
	return strcmp(order->run->id, run) == 0 && order->attempt == attempt &&
	       strcmp(order->plan_hex, plan) == 0;
}

static int save_sequence(struct mkv_conductor *conductor, int64_t sequence,
			 struct mkv_error *err)
{
	char text[32];
	int length =
		snprintf(text, sizeof(text), "%lld\n", (long long)sequence);
	int rc = mkv_write_file(conductor->sequence_path, 0600, text,
				(size_t)length, err);
	if (rc == 0)
		conductor->sequence = sequence;
	return rc;
}

/* What stands against an order; MKV_ACCEPTED_NEW: nothing. */
static enum mkv_accepted judge_order(const struct mkv_conductor *conductor,
				     const struct mkv_run_order *order,
				     json_t **ret_detail)
{
	const struct mkv_run_order *other = conductor->order;
	const struct mkv_result *result = mkv_results_find(
		&conductor->results, order->run->id, order->attempt);
	if (other) {
		*ret_detail = json_pack("{ss sI ss ss}", "run", other->run->id,
					"attempt", (json_int_t)other->attempt,
					"plan_sha256", other->plan_hex, "name",
					other->plan->name);
		return is_same_attempt(order, other->run->id, other->attempt,
				       other->plan_hex)
			       ? MKV_ACCEPTED_BEFORE
			       : MKV_ACCEPTED_BUSY;
	}
	if (result) {
		*ret_detail = json_pack("{ss sI ss ss sb}", "run", result->run,
					"attempt", (json_int_t)result->attempt,
					"plan_sha256", result->plan, "phase",
					"complete", "valid", result->is_valid);
		return strcmp(result->plan, order->plan_hex) == 0
			       ? MKV_ACCEPTED_BEFORE
			       : MKV_ACCEPTED_EXISTS;
	}
	if (mkv_order_command(order)->sequence <= conductor->sequence) {
		*ret_detail = json_pack("{sI}", "sequence",
					(json_int_t)conductor->sequence);
		return MKV_ACCEPTED_REPLAY;
	}
	uint64_t needed = mkv_order_estimate(order);
	uint64_t available = mkv_self_free(conductor->self);
	if (available >= needed)
		return MKV_ACCEPTED_NEW;
	*ret_detail = json_pack("{sI sI}", "free_bytes", (json_int_t)available,
				"needed_bytes", (json_int_t)needed);
	return MKV_ACCEPTED_FULL;
}

/* On the disk before anything begins, so that no attempt is ever unknown. */
static int keep_order(struct mkv_conductor *conductor,
		      const struct mkv_run_order *order, struct mkv_error *err)
{
	char path[4096];
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_json_dump_compact(order->document, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_conductor_clear(conductor, err);
	if (rc < 0)
		return rc;
	rc = mkv_make_dirs(conductor->work, err);
	if (rc < 0)
		return rc;
	rc = save_sequence(conductor, order->commands[MKV_STEP_ABORT]->sequence,
			   err);
	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/order.json", conductor->work);
	return mkv_write_file(path, 0600, text.data, text.size, err);
}

/* Until the attempt's first look at the hosts. */
static void begin_state(struct mkv_conductor *conductor,
			const struct mkv_run_order *order)
{
	json_t *state = mkv_conductor_idle();
	json_t *known =
		json_pack("{ss sI ss ss}", "run", order->run->id, "attempt",
			  (json_int_t)order->attempt, "plan_sha256",
			  order->plan_hex, "phase", "prepare");
	if (state && known && json_object_update(state, known) == 0) {
		json_decref(conductor->state);
		conductor->state = mkv_take(state);
	}
	json_decref(state);
	json_decref(known);
}

int mkv_conductor_accept(struct mkv_conductor *conductor,
			 struct mkv_run_order *order, enum mkv_accepted *ret,
			 json_t **ret_detail, struct mkv_error *err)
{
	int rc = 0;
	*ret_detail = NULL;
	(void)pthread_mutex_lock(&conductor->lock);
	*ret = judge_order(conductor, order, ret_detail);
	if (*ret == MKV_ACCEPTED_NEW) {
		rc = keep_order(conductor, order, err);
		if (rc == 0) {
			atomic_store(&conductor->aborted, false);
			begin_state(conductor, order);
			conductor->order = mkv_take(order);
			(void)pthread_cond_signal(&conductor->changed);
		}
	}
	(void)pthread_mutex_unlock(&conductor->lock);
	mkv_order_free(order);
	return rc;
}

static int abort_attempt(struct mkv_conductor *conductor,
			 const struct mkv_command *command, const char *plan,
			 struct mkv_error *err)
{
	if (!conductor->order ||
	    !is_same_attempt(conductor->order, command->run, command->attempt,
			     plan))
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"attempt %lld of run '%s' is not in progress",
				(long long)command->attempt, command->run);
	int rc = save_sequence(conductor, command->sequence, err);
	if (rc == 0)
		atomic_store(&conductor->aborted, true);
	return rc;
}

static int discard_result(struct mkv_conductor *conductor,
			  const struct mkv_command *command, const char *plan,
			  struct mkv_error *err)
{
	const struct mkv_result *result = mkv_results_find(
		&conductor->results, command->run, command->attempt);
	if (conductor->order && is_same_attempt(conductor->order, command->run,
						command->attempt, plan))
		return mkv_fail(err, MKV_FAILED, EBUSY,
				"attempt %lld of run '%s' is in progress",
				(long long)command->attempt, command->run);
	if (!result || strcmp(result->plan, plan) != 0)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"there is no result of attempt %lld of run "
				"'%s' of this plan",
				(long long)command->attempt, command->run);
	int rc = save_sequence(conductor, command->sequence, err);
	return rc < 0 ? rc
		      : mkv_results_discard(&conductor->results, command->run,
					    command->attempt, err);
}

static int execute(struct mkv_conductor *conductor,
		   const struct mkv_command *command, struct mkv_error *err)
{
	char plan[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&command->plan_sha256, plan);
	if (command->step != MKV_STEP_ABORT &&
	    command->step != MKV_STEP_DISCARD)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"%s is part of an attempt: post it to /v1/run",
				mkv_command_step_name(command->step));
	if (command->sequence <= conductor->sequence)
		return mkv_fail(err, MKV_FAILED, EEXIST,
				"its sequence is %lld, and %lld was accepted "
				"before",
				(long long)command->sequence,
				(long long)conductor->sequence);
	return command->step == MKV_STEP_ABORT
		       ? abort_attempt(conductor, command, plan, err)
		       : discard_result(conductor, command, plan, err);
}

int mkv_conductor_command(struct mkv_conductor *conductor,
			  const struct mkv_command *command,
			  struct mkv_error *err)
{
	(void)pthread_mutex_lock(&conductor->lock);
	int rc = execute(conductor, command, err);
	(void)pthread_mutex_unlock(&conductor->lock);
	return rc;
}

/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/conductor.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/thread.h"
#include "programs/campaign/conductor/ask.h"
#include "programs/campaign/conductor/hosts.h"
#include "programs/campaign/conductor/run.h"
#include "programs/lib/log.h"

enum { ORDER_MAX = 4 * 1024 * 1024, IDLE_S = 2 };

struct mkv_conductor {
	const struct mkv_self *self;
	char *work, *runs, *sequence_path;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	atomic_bool stopping, aborted;
	/* Guarded by the lock: */
	struct mkv_order *order; /* in progress */
	bool is_resumed;
	json_t *state; /* as published last; replaced, never changed */
	struct mkv_results results;
	int64_t sequence;
};

static bool is_same_attempt(const struct mkv_order *order, const char *run,
			    int64_t attempt, const char *plan)
{
	return strcmp(order->run->id, run) == 0 && order->attempt == attempt &&
	       strcmp(order->plan_hex, plan) == 0;
}

static void publish(void *context, json_t *state)
{
	struct mkv_conductor *conductor = context;
	(void)pthread_mutex_lock(&conductor->lock);
	json_decref(conductor->state);
	conductor->state = state;
	(void)pthread_mutex_unlock(&conductor->lock);
}

static bool is_aborted(void *context)
{
	struct mkv_conductor *conductor = context;
	return atomic_load(&conductor->aborted);
}

static json_t *idle_state(void)
{
	return json_pack("{sn sn sn ss s[] sn s{} s{sisisi} sn s[]}", "run",
			 "attempt", "plan_sha256", "phase", "idle", "phases",
			 "progress", "hosts", "spans", "expected", 0,
			 "received", 0, "dropped", 0, "error", "reasons");
}

/* Between attempts the hosts' states are kept up to date, beside what became of
 * the last attempt. */
static void look_at_hosts(struct mkv_conductor *conductor)
{
	struct mkv_error err;
	auto_hosts struct mkv_hosts hosts = {0};
	int rc = mkv_hosts_init(&hosts, conductor->self, NULL, &err);
	if (rc == 0)
		rc = mkv_hosts_poll(&hosts, conductor->self, NULL, &err);
	if (rc < 0) {
		mkv_log_error("agents: %s", err.message);
		return;
	}
	json_t *states = mkv_hosts_pack(&hosts);
	(void)pthread_mutex_lock(&conductor->lock);
	json_t *state = json_copy(conductor->state);
	(void)pthread_mutex_unlock(&conductor->lock);
	if (state && states && json_object_set_new(state, "hosts", states) == 0)
		publish(conductor, state);
	else
		json_decref(state);
}

static int remove_work(const struct mkv_conductor *conductor,
		       struct mkv_error *err)
{
	return mkv_remove_tree(AT_FDCWD, conductor->work, err);
}

static int result_place(const struct mkv_conductor *conductor,
			const struct mkv_order *order, char **ret,
			struct mkv_error *err)
{
	if (asprintf(ret, "%s/%s.%lld", conductor->runs, order->run->id,
		     (long long)order->attempt) >= 0)
		return 0;
	*ret = NULL;
	return mkv_oom(err);
}

static int carry_out(struct mkv_conductor *conductor,
		     const struct mkv_order *order, bool is_resumed,
		     struct mkv_error *err)
{
	auto_free char *place = NULL;
	int rc = result_place(conductor, order, &place, err);
	if (rc < 0)
		return rc;
	const struct mkv_run_options options = {
		.self = conductor->self,
		.order = order,
		.work = conductor->work,
		.place = place,
		.is_resumed = is_resumed,
		.stopping = &conductor->stopping,
		.is_aborted = is_aborted,
		.publish = publish,
		.context = conductor,
	};
	rc = mkv_run(&options, err);
	if (rc < 0)
		return rc;
	(void)pthread_mutex_lock(&conductor->lock);
	rc = mkv_results_add(&conductor->results, strrchr(place, '/') + 1, err);
	(void)pthread_mutex_unlock(&conductor->lock);
	return rc < 0 ? rc : remove_work(conductor, err);
}

/* An attempt whose result can't be written stays in work/: the next start ends
 * it, unless another one was ordered before. */
static void run_order(struct mkv_conductor *conductor, struct mkv_order *order,
		      bool is_resumed)
{
	struct mkv_error err;
	int rc = carry_out(conductor, order, is_resumed, &err);
	if (rc == -ECANCELED)
		return;
	(void)pthread_mutex_lock(&conductor->lock);
	if (rc < 0) {
		mkv_log_error("%s: %s", order->run->id, err.message);
		json_t *state = json_copy(conductor->state);
		(void)json_object_set_new(state, "phase",
					  json_string("failed"));
		(void)json_object_set_new(state, "error",
					  json_string(err.message));
		json_decref(conductor->state);
		conductor->state = state;
	}
	conductor->order = NULL;
	(void)pthread_mutex_unlock(&conductor->lock);
	mkv_order_free(order);
}

static void *conduct(void *context)
{
	struct mkv_conductor *conductor = context;
	while (!atomic_load(&conductor->stopping)) {
		const struct timespec until = mkv_timespec_of_ns(
			mkv_monotonic_ns() + IDLE_S * (int64_t)MKV_NS_PER_S);
		(void)pthread_mutex_lock(&conductor->lock);
		if (!conductor->order)
			(void)pthread_cond_timedwait(&conductor->changed,
						     &conductor->lock, &until);
		struct mkv_order *order = conductor->order;
		bool is_resumed = conductor->is_resumed;
		conductor->is_resumed = false;
		(void)pthread_mutex_unlock(&conductor->lock);
		if (atomic_load(&conductor->stopping))
			break;
		if (order)
			run_order(conductor, order, is_resumed);
		else
			look_at_hosts(conductor);
	}
	return NULL;
}

static int load_sequence(struct mkv_conductor *conductor, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	char *end;
	int rc = mkv_read_file(AT_FDCWD, conductor->sequence_path, 64, &text,
			       err);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	errno = 0;
	conductor->sequence = strtoll(text.data ? text.data : "", &end, 10);
	if (errno || conductor->sequence < 1 || *end != '\n')
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"'%s' does not hold a number",
				conductor->sequence_path);
	return 0;
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

/* Finds the attempt that an earlier process left. One whose result has its
 * place already is complete. */
static int find_interrupted(struct mkv_conductor *conductor,
			    struct mkv_error *err)
{
	char path[4096];
	auto_json json_t *document = NULL;
	auto_order struct mkv_order *order = NULL;
	(void)snprintf(path, sizeof(path), "%s/order.json", conductor->work);
	int rc = mkv_json_load_file(AT_FDCWD, path, ORDER_MAX, &document, err);
	if (rc == -ENOENT)
		return remove_work(conductor, err);
	if (rc == 0)
		rc = mkv_order_reread(document, conductor->self, &order, err);
	if (rc < 0) {
		/* Of another appliance, or unreadable: nobody can order it
		 * again. */
		mkv_log_error("removed an attempt that can't be ended: %s",
			      err->message);
		return remove_work(conductor, err);
	}
	if (mkv_results_find(&conductor->results, order->run->id,
			     order->attempt))
		return remove_work(conductor, err);
	conductor->order = mkv_take(order);
	conductor->is_resumed = true;
	return 0;
}

static int set_paths(struct mkv_conductor *conductor, struct mkv_error *err)
{
	const struct {
		char **into;
		const char *name;
	} rows[] = {{&conductor->work, "work"},
		    {&conductor->runs, "runs"},
		    {&conductor->sequence_path, "sequence"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (asprintf(rows[i].into, "%s/%s", conductor->self->directory,
			     rows[i].name) < 0) {
			*rows[i].into = NULL;
			return mkv_oom(err);
		}
	return 0;
}

static int load_state(struct mkv_conductor *conductor, struct mkv_error *err)
{
	int rc = set_paths(conductor, err);
	if (rc < 0)
		return rc;
	rc = load_sequence(conductor, err);
	if (rc < 0)
		return rc;
	rc = mkv_results_init(&conductor->results, conductor->runs, err);
	if (rc < 0)
		return rc;
	conductor->state = idle_state();
	if (!conductor->state)
		return mkv_oom(err);
	return find_interrupted(conductor, err);
}

static void free_conductor(struct mkv_conductor *conductor)
{
	mkv_order_free(conductor->order);
	mkv_results_done(&conductor->results);
	json_decref(conductor->state);
	free(conductor->work);
	free(conductor->runs);
	free(conductor->sequence_path);
	(void)pthread_cond_destroy(&conductor->changed);
	(void)pthread_mutex_destroy(&conductor->lock);
	free(conductor);
}

int mkv_conductor_start(const struct mkv_self *self, struct mkv_conductor **ret,
			struct mkv_error *err)
{
	pthread_condattr_t monotonic;
	struct mkv_conductor *conductor = calloc(1, sizeof(*conductor));
	if (!conductor)
		return mkv_oom(err);
	conductor->self = self;
	(void)pthread_mutex_init(&conductor->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&conductor->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	int rc = load_state(conductor, err);
	if (rc == 0)
		rc = mkv_thread_start(&conductor->thread, conduct, conductor,
				      err, "conductor");
	if (rc < 0) {
		free_conductor(conductor);
		return rc;
	}
	*ret = conductor;
	return 0;
}

void mkv_conductor_stop(struct mkv_conductor *conductor)
{
	if (!conductor)
		return;
	atomic_store(&conductor->stopping, true);
	mkv_ask_cancel();
	(void)pthread_mutex_lock(&conductor->lock);
	(void)pthread_cond_signal(&conductor->changed);
	(void)pthread_mutex_unlock(&conductor->lock);
	(void)pthread_join(conductor->thread, NULL);
	free_conductor(conductor);
}

/* What stands against an order; MKV_ACCEPTED_NEW: nothing. */
static enum mkv_accepted judge_order(const struct mkv_conductor *conductor,
				     const struct mkv_order *order,
				     json_t **ret_detail)
{
	const struct mkv_order *other = conductor->order;
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
		      const struct mkv_order *order, struct mkv_error *err)
{
	char path[4096];
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_json_dump_compact(order->document, &text, err);
	if (rc < 0)
		return rc;
	rc = remove_work(conductor, err);
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
			const struct mkv_order *order)
{
	json_t *state = idle_state();
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
			 struct mkv_order *order, enum mkv_accepted *ret,
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

json_t *mkv_conductor_state(struct mkv_conductor *conductor)
{
	const struct mkv_self *self = conductor->self;
	(void)pthread_mutex_lock(&conductor->lock);
	json_t *state = json_deep_copy(conductor->state);
	bool is_pending = conductor->order != NULL;
	int64_t sequence = conductor->sequence;
	(void)pthread_mutex_unlock(&conductor->lock);
	json_t *common = json_pack(
		"{ss ss ss sI sI sb sI}", "contract_sha256", self->contract_hex,
		"boot_id", self->boot_id, "host", self->host, "free_bytes",
		(json_int_t)mkv_self_free(self), "realtime_ns",
		(json_int_t)mkv_realtime_ns(), "busy", is_pending, "sequence",
		(json_int_t)sequence);
	if (state && common)
		(void)json_object_update(state, common);
	json_decref(common);
	return state;
}

json_t *mkv_conductor_results(struct mkv_conductor *conductor)
{
	(void)pthread_mutex_lock(&conductor->lock);
	json_t *list = mkv_results_pack(&conductor->results);
	(void)pthread_mutex_unlock(&conductor->lock);
	return list;
}

int mkv_conductor_open(struct mkv_conductor *conductor, int64_t index,
		       int64_t file, int *ret_fd, uint64_t *ret_size,
		       struct mkv_error *err)
{
	(void)pthread_mutex_lock(&conductor->lock);
	int rc = mkv_results_open(&conductor->results, index, file, ret_fd,
				  ret_size, err);
	(void)pthread_mutex_unlock(&conductor->lock);
	return rc;
}

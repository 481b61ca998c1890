/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/conductor.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/thread.h"
#include "programs/campaign/conductor/ask.h"
#include "programs/campaign/conductor/conductor_internal.h"
#include "programs/campaign/conductor/hosts.h"
#include "programs/campaign/conductor/run.h"
#include "programs/lib/log.h"

enum { ORDER_MAX = 4 * 1024 * 1024, IDLE_S = 2 };

json_t *mkv_conductor_idle(void)
{
	return json_pack("{sn sn sn ss s[] sn s{} s{sisisi} sn s[]}", "run",
			 "attempt", "plan_sha256", "phase", "idle", "phases",
			 "progress", "hosts", "spans", "expected", 0,
			 "received", 0, "dropped", 0, "error", "reasons");
}

int mkv_conductor_clear(const struct mkv_conductor *conductor,
			struct mkv_error *err)
{
	return mkv_remove_tree(AT_FDCWD, conductor->work, err);
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

static int result_place(const struct mkv_conductor *conductor,
			const struct mkv_run_order *order, char **ret,
			struct mkv_error *err)
{
	if (asprintf(ret, "%s/%s.%lld", conductor->runs, order->run->id,
		     (long long)order->attempt) >= 0)
		return 0;
	*ret = NULL;
	return mkv_oom(err);
}

static int carry_out(struct mkv_conductor *conductor,
		     const struct mkv_run_order *order, bool is_resumed,
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
	return rc < 0 ? rc : mkv_conductor_clear(conductor, err);
}

/* An attempt whose result can't be written stays in work/: the next start ends
 * it, unless another one was ordered before. */
static void run_order(struct mkv_conductor *conductor,
		      struct mkv_run_order *order, bool is_resumed)
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
		struct mkv_run_order *order = conductor->order;
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

/* Finds the attempt that an earlier process left. One whose result has its
 * place already is complete. */
static int find_interrupted(struct mkv_conductor *conductor,
			    struct mkv_error *err)
{
	char path[4096];
	auto_json json_t *document = NULL;
	auto_order struct mkv_run_order *order = NULL;
	(void)snprintf(path, sizeof(path), "%s/order.json", conductor->work);
	int rc = mkv_json_load_file(AT_FDCWD, path, ORDER_MAX, &document, err);
	if (rc == -ENOENT)
		return mkv_conductor_clear(conductor, err);
	if (rc == 0)
		rc = mkv_order_reread(document, conductor->self, &order, err);
	if (rc < 0) {
		/* Of another appliance, or unreadable: nobody can order it
		 * again. */
		mkv_log_error("removed an attempt that can't be ended: %s",
			      err->message);
		return mkv_conductor_clear(conductor, err);
	}
	if (mkv_results_find(&conductor->results, order->run->id,
			     order->attempt))
		return mkv_conductor_clear(conductor, err);
	conductor->order = mkv_take(order);
	conductor->is_resumed = true;
	return 0;
}

static int set_paths(struct mkv_conductor *conductor, struct mkv_error *err)
{
	const struct {
		char **into;
		const char *name;
	} rows[] = {{&conductor->work, "attempt"},
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
	conductor->state = mkv_conductor_idle();
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

/* SPDX-License-Identifier: MIT */
/* mkvbench-loadgen: sends orders at a constant rate, independent of the time
 * that answers take (an open loop). A latency is measured from the intended
 * start of a request, so that a pause of the service shows in every request
 * that it delays.
 *
 * In DATA_DIR, run-TIME.csv has every request and run-TIME.json the summary,
 * which is also printed. SIGTERM or SIGINT ends the run early, after the
 * requests in progress were answered. Exit status 1: a measured request was not
 * answered 200, or none was measured. */

#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/thread.h"
#include "programs/campaign/loadgen/plan.h"
#include "programs/campaign/loadgen/ready.h"
#include "programs/lib/log.h"
#include "programs/lib/peer.h"
#include "programs/lib/program.h"

static struct load {
	int64_t rate, connections, warm_up, count, users, ready_s;
	const char *directory;
	struct mkv_peer *order;
	struct mkv_load_sample *samples;
	size_t total;
	int64_t began_ns;
	atomic_size_t next;
	atomic_bool stopping;
	sem_t stopped; /* posted: waiting threads return */
} load;

static void handle_stop(int number)
{
	(void)number;
	atomic_store(&load.stopping, true);
	(void)sem_post(&load.stopped);
}

static void wait_until(int64_t ns)
{
	const struct timespec until = mkv_timespec_of_ns(ns);
	while (!atomic_load(&load.stopping)) {
		if (sem_clockwait(&load.stopped, CLOCK_MONOTONIC, &until) == 0)
			(void)sem_post(
				&load.stopped); /* wakes the next thread */
		else if (errno != EINTR)
			break;
	}
}

/* The id of the order in an answer: results are compared with the database. */
static int64_t read_order(const struct mkv_buf *reply)
{
	struct mkv_error ignored;
	auto_json json_t *order = NULL;
	if (mkv_json_load(reply->data, reply->size, &order, &ignored) < 0)
		return 0;
	return json_integer_value(json_object_get(order, "id"));
}

static void send_order(size_t index)
{
	struct mkv_load_sample *sample = &load.samples[index];
	struct mkv_error err;
	auto_buf struct mkv_buf reply = {0};
	char path[64];
	sample->intended_ns =
		(int64_t)((__int128)index * 1000000000 / load.rate);
	(void)snprintf(path, sizeof(path), "/orders/create/id/%" PRId64,
		       (int64_t)index % load.users + 1);
	const struct mkv_peer_call call = {
		.span = "POST order",
		.method = "POST",
		.path = path,
		.body = "{\"productName\":\"tea\",\"price\":0.01}",
	};
	int64_t intended_ns = load.began_ns + sample->intended_ns;
	wait_until(intended_ns);
	if (atomic_load(&load.stopping))
		return;
	sample->sent = true;
	sample->late_ns = mkv_clock_ns(CLOCK_MONOTONIC) - intended_ns;
	int rc = mkv_peer_ask(load.order, &call, &sample->status, &reply, &err);
	sample->latency_ns = mkv_clock_ns(CLOCK_MONOTONIC) - intended_ns;
	if (rc < 0) {
		sample->status = 0;
		mkv_log_error("%s", err.message);
	} else if (sample->status == 200) {
		sample->order = read_order(&reply);
	} else {
		mkv_log_error("request %zu: status %u: %.300s", index,
			      sample->status, reply.size ? reply.data : "");
	}
}

static void *send_orders(void *context)
{
	(void)context;
	for (size_t i; (i = atomic_fetch_add(&load.next, 1)) < load.total;)
		send_order(i);
	return NULL;
}

static int run_threads(struct mkv_error *err)
{
	auto_free pthread_t *threads =
		calloc((size_t)load.connections, sizeof(*threads));
	int64_t started = 0;
	int rc = 0;
	if (!threads)
		return mkv_oom(err);
	/* Inherited by the threads; the kernel's default is 50 microseconds. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	load.began_ns = mkv_clock_ns(CLOCK_MONOTONIC) + 100000000;
	for (; started < load.connections; started++) {
		rc = mkv_thread_start(&threads[started], send_orders, NULL, err,
				      "connection %" PRId64 " of %" PRId64,
				      started + 1, load.connections);
		if (rc < 0)
			break;
	}
	/* Fewer connections would generate a different load. */
	if (rc < 0)
		handle_stop(0);
	for (int64_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	while (load.total > 0 && !load.samples[load.total - 1].sent)
		load.total--;
	return rc;
}

static int write_results(const struct mkv_buf *summary, struct mkv_error *err)
{
	auto_buf struct mkv_buf csv = {0};
	char path[4096], stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	(void)gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	mkv_buf_str(&csv,
		    "request,intended_ns,late_ns,latency_ns,status,order\n");
	for (size_t i = 0; i < load.total; i++)
		mkv_buf_printf(&csv,
			       "%zu,%" PRId64 ",%" PRId64 ",%" PRId64
			       ",%u,%" PRId64 "\n",
			       i, load.samples[i].intended_ns,
			       load.samples[i].late_ns,
			       load.samples[i].latency_ns,
			       load.samples[i].status, load.samples[i].order);
	int rc = mkv_buf_check(&csv, err);
	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/run-%s.csv", load.directory,
		       stamp);
	rc = mkv_write_file(path, 0644, csv.data, csv.size, err);
	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/run-%s.json", load.directory,
		       stamp);
	return mkv_write_file(path, 0644, summary->data, summary->size, err);
}

static const struct mkv_service_setting own_settings[] = {
	{"RATE", MKV_SETTING_INTEGER, "20", 1, 100000,
	 .doc = "orders per second", .number = &load.rate},
	{"CONNECTIONS", MKV_SETTING_INTEGER, "3", 1, 256,
	 .doc = "sending threads, each with its own connection",
	 .number = &load.connections},
	{"WARM_UP", MKV_SETTING_INTEGER, "100", 0, 10000000,
	 .doc = "orders before the measurement", .number = &load.warm_up},
	{"COUNT", MKV_SETTING_INTEGER, "1000", 1, 10000000,
	 .doc = "measured orders", .number = &load.count},
	{"USERS", MKV_SETTING_INTEGER, "1000", 1, 1000000,
	 .doc = "number of users, who order in turn", .number = &load.users},
	{"READY_S", MKV_SETTING_INTEGER, "0", 0, 86400,
	 .doc = "seconds to wait until all services are healthy; 0: do not wait",
	 .number = &load.ready_s},
	{"DATA_DIR", MKV_SETTING_TEXT, "/var/lib/loadgen", .max = 4000,
	 .doc = "directory of results", .text = &load.directory},
	{"ORDER_URL", .doc = "URL of the order service; default: port 8080 of "
			     "MKVBENCH_ADDRESS_ORDER, else of 127.0.0.1"},
	{"PAYMENT_URL",
	 .doc = "URL of the payment service, for READY_S; default: port 8080 of "
		"MKVBENCH_ADDRESS_PAYMENT, else of 127.0.0.1"},
	{"USER_URL",
	 .doc = "URL of the user service, for READY_S; default: port 8080 of "
		"MKVBENCH_ADDRESS_USER, else of 127.0.0.1"},
	{"COLLECTOR_URL",
	 .doc = "URL of the collector, for READY_S; default: port 4318 of "
		"MKVBENCH_ADDRESS_COLLECTOR, else of 127.0.0.1"},
	MKV_PEER_TIMEOUT("30000"),
	{0},
};

static int prepare_run(struct mkv_error *err)
{
	load.total = (size_t)(load.warm_up + load.count);
	load.samples = calloc(load.total, sizeof(*load.samples));
	return load.samples ? mkv_peer_new("order", &load.order, err)
			    : mkv_oom(err);
}

/* Whether at least one request was measured, and all were answered 200. */
static bool all_answered(void)
{
	if (load.total <= (size_t)load.warm_up)
		return false;
	for (size_t i = (size_t)load.warm_up; i < load.total; i++)
		if (load.samples[i].status != 200)
			return false;
	return true;
}

static int measure_run(struct mkv_error *err)
{
	auto_buf struct mkv_buf summary = {0};
	int rc = prepare_run(err);
	if (rc < 0)
		return rc;
	rc = mkv_load_wait_ready((unsigned)load.ready_s, err);
	if (rc < 0)
		return rc;
	rc = mkv_trace_start("loadgen", err);
	if (rc < 0)
		return rc;
	(void)sem_init(&load.stopped, 0, 0);
	(void)signal(SIGTERM, handle_stop);
	(void)signal(SIGINT, handle_stop);
	rc = run_threads(err);
	mkv_trace_stop(10);
	if (rc < 0)
		return rc;
	rc = mkv_load_summary(load.samples, load.total, (size_t)load.warm_up,
			      (double)load.rate, &summary, err);
	if (rc < 0)
		return rc;
	rc = mkv_write_all(STDOUT_FILENO, summary.data, summary.size, err);
	if (rc < 0)
		return rc;
	rc = write_results(&summary, err);
	return rc < 0 ? rc : all_answered() ? 0 : 1;
}

static int run_load(const struct mkv_program *program, struct mkv_error *err)
{
	(void)program;
	int rc = measure_run(err);
	mkv_peer_free(load.order);
	free(load.samples);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct mkv_service_setting *const settings[] = {
		own_settings, mkv_trace_settings, NULL};
	const struct mkv_program program = {
		.name = "loadgen", .settings = settings, .run = run_load};
	return mkv_program_main(&program, argc, argv);
}

/* SPDX-License-Identifier: MIT */
#include "programs/lib/trace.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/thread.h"
#include "lib/utf8.h"
#include "programs/lib/log.h"
#include "programs/lib/settings.h"
#include "programs/lib/trace_queue.h"

enum { WAIT_NS = 500000000 }; /* for a batch to fill */
/* Between attempts to send a batch: doubled after each failure. */
enum { WAIT_MIN_MS = 500, WAIT_MAX_MS = 4000 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool running, stopping;
	pthread_t thread;
	struct mkv_span *ring;
	size_t first, count;
	struct mkv_trace_counts counts;
	struct mkv_trace_exporter exporter;
	int64_t give_up_ns;
} trace = {.lock = PTHREAD_MUTEX_INITIALIZER};

void mkv_trace_put(const struct mkv_span *span)
{
	(void)pthread_mutex_lock(&trace.lock);
	trace.counts.ended++;
	if (trace.running && trace.count < MKV_TRACE_QUEUE) {
		size_t at = (trace.first + trace.count) % MKV_TRACE_QUEUE;
		trace.ring[at] = *span;
		/* The exporter wakes up by itself after WAIT_NS: a signal is
		 * needed only for a full batch. */
		if (++trace.count == MKV_TRACE_BATCH)
			(void)pthread_cond_signal(&trace.changed);
	} else if (trace.running) {
		trace.counts.dropped++;
	}
	(void)pthread_mutex_unlock(&trace.lock);
}

struct mkv_trace_counts mkv_trace_counts(void)
{
	(void)pthread_mutex_lock(&trace.lock);
	struct mkv_trace_counts counts = trace.counts;
	(void)pthread_mutex_unlock(&trace.lock);
	return counts;
}

/* Copies the next batch, which stays in the queue. Waits up to WAIT_NS for a
 * full batch. */
static size_t next_batch(struct mkv_span *batch)
{
	const struct timespec until =
		mkv_timespec_of_ns(mkv_monotonic_ns() + WAIT_NS);
	(void)pthread_mutex_lock(&trace.lock);
	int rc = 0;
	while (trace.count < MKV_TRACE_BATCH && !trace.stopping && rc == 0)
		rc = pthread_cond_timedwait(&trace.changed, &trace.lock,
					    &until);
	size_t count =
		trace.count < MKV_TRACE_BATCH ? trace.count : MKV_TRACE_BATCH;
	for (size_t i = 0; i < count; i++)
		batch[i] = trace.ring[(trace.first + i) % MKV_TRACE_QUEUE];
	(void)pthread_mutex_unlock(&trace.lock);
	return count;
}

static void remove_batch(size_t count, size_t lost)
{
	(void)pthread_mutex_lock(&trace.lock);
	trace.first = (trace.first + count) % MKV_TRACE_QUEUE;
	trace.count -= count;
	trace.counts.exported += count - lost;
	trace.counts.dropped += lost;
	(void)pthread_mutex_unlock(&trace.lock);
}

static bool must_exit(void)
{
	(void)pthread_mutex_lock(&trace.lock);
	bool end = trace.stopping &&
		   (trace.count == 0 || mkv_monotonic_ns() >= trace.give_up_ns);
	(void)pthread_mutex_unlock(&trace.lock);
	return end;
}

/* Waits before a batch is sent again: `ms`, but only WAIT_MIN_MS once
 * mkv_trace_stop() was called, so that several attempts fit into its limit. */
static void wait_before_retry(unsigned ms)
{
	int64_t end_ns = mkv_monotonic_ns() + (int64_t)ms * 1000000;
	int64_t least_ns = mkv_monotonic_ns() + (int64_t)WAIT_MIN_MS * 1000000;
	(void)pthread_mutex_lock(&trace.lock);
	for (;;) {
		int64_t until_ns =
			trace.stopping && least_ns < end_ns ? least_ns : end_ns;
		const struct timespec until = mkv_timespec_of_ns(until_ns);
		if (mkv_monotonic_ns() >= until_ns)
			break;
		(void)pthread_cond_timedwait(&trace.changed, &trace.lock,
					     &until);
	}
	(void)pthread_mutex_unlock(&trace.lock);
}

static void *export_all(void *batch)
{
	bool was_failing = false;
	unsigned pause_ms = WAIT_MIN_MS;
	while (!must_exit()) {
		struct mkv_error err;
		struct mkv_trace_outcome outcome = {0};
		size_t count = next_batch(batch);
		if (count == 0)
			continue;
		int rc = trace.exporter.send(trace.exporter.state, batch, count,
					     &outcome, &err);
		if (rc < 0 && !was_failing)
			mkv_log_error("traces: %s", err.message);
		was_failing = rc < 0;
		if (rc == -EAGAIN) {
			wait_before_retry(outcome.wait_ms > pause_ms
						  ? outcome.wait_ms
						  : pause_ms);
			pause_ms = pause_ms * 2 > WAIT_MAX_MS ? WAIT_MAX_MS
							      : pause_ms * 2;
			continue;
		}
		pause_ms = WAIT_MIN_MS;
		if (outcome.refused > count)
			outcome.refused = count;
		if (outcome.refused)
			mkv_log_error(
				"traces: the collector refused %zu of %zu spans",
				(size_t)outcome.refused, count);
		remove_batch(count, rc < 0 ? count : (size_t)outcome.refused);
	}
	free(batch);
	return NULL;
}

static int read_resource(const char *service,
			 struct mkv_trace_resource *resource,
			 struct mkv_error *err)
{
	static const struct {
		const char *key, *setting;
	} rows[] = {
		{"host.name", "HOST"},
		{"mkvbench.role", "ROLE"},
		{"mkvbench.scenario", "SCENARIO"},
		{"mkvbench.contract", "CONTRACT"},
		{"mkvbench.boot_id", "BOOT_ID"},
	};
	resource->items[0].key = "service.name";
	resource->items[0].value = service;
	resource->count = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *value = mkv_settings_text(rows[i].setting, NULL);
		if (!value)
			continue;
		if (!mkv_utf8_is_valid(value, strlen(value)))
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"MKVBENCH_%s is not UTF-8",
					rows[i].setting);
		resource->items[resource->count].key = rows[i].key;
		resource->items[resource->count++].value = value;
	}
	return 0;
}

struct destination {
	const char *endpoint, *file; /* both NULL: no export */
	char text[256];
};

/* The setting; else the collector of the experiment; else a file in the
 * service's directory, if it is writable. */
static void find_destination(const char *service, struct destination *ret)
{
	const char *address = mkv_settings_text("ADDRESS_COLLECTOR", NULL);
	ret->endpoint = mkv_settings_text("OTLP_ENDPOINT", NULL);
	ret->file =
		ret->endpoint ? NULL : mkv_settings_text("TRACE_FILE", NULL);
	if (ret->endpoint || ret->file) {
		if (ret->endpoint && strcmp(ret->endpoint, "none") == 0)
			ret->endpoint = NULL;
		if (ret->file && strcmp(ret->file, "none") == 0)
			ret->file = NULL;
	} else if (address) {
		(void)snprintf(ret->text, sizeof(ret->text), "http://%s:4318",
			       address);
		ret->endpoint = ret->text;
	} else {
		(void)snprintf(ret->text, sizeof(ret->text), "/var/lib/%s",
			       service);
		if (access(ret->text, W_OK) < 0)
			return;
		(void)snprintf(ret->text, sizeof(ret->text),
			       "/var/lib/%s/traces.jsonl", service);
		ret->file = ret->text;
	}
}

static int open_exporter(const struct destination *to,
			 const struct mkv_trace_resource *resource,
			 struct mkv_error *err)
{
	int rc = to->endpoint
			 ? mkv_trace_http_open(to->endpoint, resource,
					       &trace.exporter, err)
			 : mkv_trace_file_open(to->file,
					       (uint64_t)mkv_trace_spare_bytes,
					       resource, &trace.exporter, err);
	return rc < 0 ? mkv_wrap(err, rc, "traces") : 0;
}

/* Waits on `changed` use CLOCK_MONOTONIC. */
static void init_condition(void)
{
	pthread_condattr_t attributes;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&trace.changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

static int start_thread(struct mkv_error *err)
{
	struct mkv_span *batch = calloc(MKV_TRACE_BATCH, sizeof(*batch));
	trace.ring = calloc(MKV_TRACE_QUEUE, sizeof(*trace.ring));
	trace.stopping = false;
	init_condition();
	int rc = batch && trace.ring
			 ? mkv_thread_start(&trace.thread, export_all, batch,
					    err, "span exporter")
			 : mkv_oom(err);
	if (rc < 0) {
		free(batch);
		free(trace.ring);
		trace.ring = NULL;
		(void)pthread_cond_destroy(&trace.changed);
	}
	return rc;
}

int mkv_trace_start(const char *service, struct mkv_error *err)
{
	static struct mkv_trace_resource resource;
	struct destination to = {0};
	find_destination(service, &to);
	if (!to.endpoint && !to.file) {
		mkv_log_info("tracing is off: spans are not exported");
		return 0;
	}
	int rc = read_resource(service, &resource, err);
	if (rc < 0)
		return rc;
	rc = open_exporter(&to, &resource, err);
	if (rc < 0)
		return rc;
	rc = start_thread(err);
	if (rc < 0) {
		trace.exporter.close(trace.exporter.state);
		return rc;
	}
	/* Touches every page: memory does not grow during a run. */
	explicit_bzero(trace.ring, MKV_TRACE_QUEUE * sizeof(*trace.ring));
	trace.running = true;
	return 0;
}

void mkv_trace_stop(unsigned limit_s)
{
	if (!trace.running)
		return;
	(void)pthread_mutex_lock(&trace.lock);
	trace.stopping = true;
	trace.give_up_ns = mkv_monotonic_ns() + (int64_t)limit_s * 1000000000;
	(void)pthread_cond_signal(&trace.changed);
	(void)pthread_mutex_unlock(&trace.lock);
	(void)pthread_join(trace.thread, NULL);
	(void)pthread_mutex_lock(&trace.lock);
	trace.running = false;
	trace.counts.dropped += trace.count;
	trace.count = 0;
	(void)pthread_mutex_unlock(&trace.lock);
	trace.exporter.close(trace.exporter.state);
	free(trace.ring);
	trace.ring = NULL;
}

/* SPDX-License-Identifier: MIT */
#include "services/lib/trace.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "services/lib/log.h"
#include "services/lib/settings.h"
#include "services/lib/trace_queue.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t some;
	bool running, stopping;
	pthread_t thread;
	struct mkv_span *ring;
	size_t first, count;
	struct mkv_trace_counts counts;
	struct mkv_trace_exporter exporter;
	int64_t give_up_ns;
} trace = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void mkv_trace_put(const struct mkv_span *span)
{
	(void)pthread_mutex_lock(&trace.lock);
	trace.counts.ended++;
	if (trace.running && trace.count < MKV_TRACE_QUEUE) {
		size_t at = (trace.first + trace.count) % MKV_TRACE_QUEUE;
		trace.ring[at] = *span;
		/* The exporter sleeps a little anyway: wake it for a batch. */
		if (++trace.count == MKV_TRACE_BATCH)
			(void)pthread_cond_signal(&trace.some);
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

/* The next batch, without taking it out; waits at most half a second. */
static size_t next_batch(struct mkv_span *batch)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 500000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_mutex_lock(&trace.lock);
	int rc = 0;
	while (trace.count < MKV_TRACE_BATCH && !trace.stopping && rc == 0)
		rc = pthread_cond_timedwait(&trace.some, &trace.lock, &until);
	size_t count =
		trace.count < MKV_TRACE_BATCH ? trace.count : MKV_TRACE_BATCH;
	for (size_t i = 0; i < count; i++)
		batch[i] = trace.ring[(trace.first + i) % MKV_TRACE_QUEUE];
	(void)pthread_mutex_unlock(&trace.lock);
	return count;
}

static void take_out(size_t count, bool was_exported)
{
	(void)pthread_mutex_lock(&trace.lock);
	trace.first = (trace.first + count) % MKV_TRACE_QUEUE;
	trace.count -= count;
	if (was_exported)
		trace.counts.exported += count;
	else
		trace.counts.dropped += count;
	(void)pthread_mutex_unlock(&trace.lock);
}

static bool has_to_end(void)
{
	(void)pthread_mutex_lock(&trace.lock);
	bool end = trace.stopping &&
		   (trace.count == 0 || now_ns() >= trace.give_up_ns);
	(void)pthread_mutex_unlock(&trace.lock);
	return end;
}

static void *export_all(void *batch)
{
	bool was_failing = false;
	while (!has_to_end()) {
		struct mkv_error err;
		size_t count = next_batch(batch);
		if (count == 0)
			continue;
		int rc = trace.exporter.send(trace.exporter.state, batch, count,
					     &err);
		if (rc < 0 && !was_failing)
			mkv_log_error("traces: %s", err.message);
		was_failing = rc < 0;
		if (rc == -EAGAIN)
			(void)nanosleep(
				&(struct timespec){.tv_nsec = 500000000}, NULL);
		else
			take_out(count, rc == 0);
	}
	free(batch);
	return NULL;
}

static void describe(const char *service, struct mkv_trace_resource *resource)
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
		resource->items[resource->count].key = rows[i].key;
		resource->items[resource->count++].value = value;
	}
}

/* The endpoint that is set, else the collector of the experiment; NULL when a
 * file is asked for or there is neither. */
static const char *find_endpoint(char into[static 128])
{
	const char *endpoint = mkv_settings_text("OTLP_ENDPOINT", NULL);
	const char *address = mkv_settings_text("ADDRESS_COLLECTOR", NULL);
	if (endpoint || !address || mkv_settings_text("TRACE_FILE", NULL))
		return endpoint;
	(void)snprintf(into, 128, "http://%s:4318", address);
	return into;
}

int mkv_trace_start(const char *service, struct mkv_error *err)
{
	static struct mkv_trace_resource resource;
	char default_endpoint[128];
	const char *endpoint = find_endpoint(default_endpoint);
	const char *file = mkv_settings_text("TRACE_FILE", NULL);
	if (!endpoint && !file)
		return 0;
	describe(service, &resource);
	int rc = endpoint ? mkv_trace_http_open(endpoint, &resource,
						&trace.exporter, err)
			  : mkv_trace_file_open(file, &resource,
						&trace.exporter, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "traces");
	struct mkv_span *batch = calloc(MKV_TRACE_BATCH, sizeof(*batch));
	trace.ring = calloc(MKV_TRACE_QUEUE, sizeof(*trace.ring));
	pthread_condattr_t attributes;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&trace.some, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (!batch || !trace.ring ||
	    pthread_create(&trace.thread, NULL, export_all, batch) != 0) {
		trace.exporter.close(trace.exporter.state);
		free(batch);
		free(trace.ring);
		return mkv_oom(err);
	}
	/* All of it is taken now: during a run nothing grows. */
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
	trace.give_up_ns = now_ns() + (int64_t)limit_s * 1000000000;
	(void)pthread_cond_signal(&trace.some);
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

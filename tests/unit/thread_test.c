/* SPDX-License-Identifier: MIT */
/* A thread that can't be started: the error names the thread and the reason,
 * and all its resources are freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <cmocka.h>

#include "builder/build/staging.h"
#include "builder/run/boot/network.h"
#include "lib/sync.h"
#include "programs/lib/http_workers.h"
#include "programs/lib/trace.h"

/* Replaces that of the C library: the first `allowed` calls succeed, later ones
 * fail. */
static int allowed = -1;
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		   void *(*main)(void *), void *context)
{
	typedef int create(pthread_t *, const pthread_attr_t *,
			   void *(*)(void *), void *);
	static create *real;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	if (allowed == 0)
		return EAGAIN;
	if (allowed > 0)
		allowed--;
	return real(thread, attributes, main, context);
}

static int start_traces(struct mkv_error *err)
{
	(void)setenv("MKVBENCH_TRACE_FILE", "/dev/null", 1);
	int rc = mkv_trace_start("test", err);
	if (rc == 0)
		mkv_trace_stop(1);
	return rc;
}

static void serve_task(struct mkv_http_task *task)
{
	(void)task;
}

static int start_workers(struct mkv_error *err)
{
	struct mkv_http_workers *workers = NULL;
	int rc = mkv_http_workers_start(3, serve_task, &workers, err);
	if (rc == 0) {
		mkv_http_workers_stop(workers);
		mkv_http_workers_free(workers);
	}
	return rc;
}

static int start_sync(struct mkv_error *err)
{
	struct mkv_syncing *syncing = NULL;
	int rc = mkv_syncing_start("/proc/self/fdinfo", &syncing, err);
	if (rc == 0)
		(void)!mkv_syncing_finish(syncing, err);
	return rc;
}

static int start_network(struct mkv_error *err)
{
	auto_network struct mkv_network *network = NULL;
	return mkv_network_open(100, true, &network, err);
}

static int start_signals(struct mkv_error *err)
{
	sigset_t before;
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
	int rc = mkv_staging_watch_signals(err);
	sigset_t after;
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, &after), 0);
	/* Signals without a waiting thread are not blocked. */
	if (rc < 0)
		assert_int_equal(sigismember(&after, SIGINT), 0);
	return rc;
}

static void an_error_names_the_thread_and_the_reason(void **state)
{
	static const struct {
		const char *thread;
		int (*start)(struct mkv_error *err);
		int allowed;
	} rows[] = {
		{"span exporter", start_traces, 0},
		{"HTTP worker 1 of 3", start_workers, 0},
		{"HTTP worker 3 of 3", start_workers, 2},
		{"sync of '/proc/self/fdinfo'", start_sync, 0},
		{"bridge of the hosts' network", start_network, 0},
		{"signal handler", start_signals, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err = {0};
		char wanted[256];
		(void)snprintf(wanted, sizeof(wanted),
			       "start the thread '%s': Resource temporarily "
			       "unavailable (",
			       rows[i].thread);
		allowed = rows[i].allowed;
		int rc = rows[i].start(&err);
		allowed = -1;
		if (rc != -EAGAIN || !strstr(err.message, wanted))
			fail_msg("row %zu: %d, '%s', not '%s'", i, rc,
				 err.message, wanted);
		if (rows[i].start(&err) < 0)
			fail_msg("row %zu, again: %s", i, err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_names_the_thread_and_the_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

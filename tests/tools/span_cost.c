/* SPDX-License-Identifier: MIT */
/* Measures the cost of a span on the request's path: begin, two attributes and
 * end, with an exporter that keeps up (OTLP JSON into /dev/null). A burst fits
 * into the queue, and the exporter empties the queue between bursts. Prints
 * nanoseconds per span, of the median and the slowest burst, with one thread
 * and with four. Status 1 when the median of one thread is over 2 us, or a span
 * was dropped. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "programs/lib/trace_queue.h"

enum {
	BURSTS = 60,
	BURST = MKV_TRACE_QUEUE / 4,
	THREADS_MAX = 4,
	LIMIT_NS = 2000
};

static int64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void wait_for_exporter(void)
{
	for (;;) {
		struct mkv_trace_counts counts = mkv_trace_counts();
		if (counts.exported + counts.dropped == counts.ended)
			return;
		(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

static void *make_burst(void *context)
{
	const unsigned *count = context;
	struct mkv_span root, span;
	mkv_span_begin(&root, "root", MKV_SPAN_SERVER, NULL);
	for (unsigned i = 0; i < *count; i++) {
		mkv_span_begin(&span, "SELECT users", MKV_SPAN_CLIENT,
			       &root.context);
		mkv_span_text(&span, "db.system.name", "postgresql");
		mkv_span_number(&span, "http.response.status_code", 200);
		mkv_span_end(&span);
	}
	return NULL;
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

/* Nanoseconds per span, measured by the thread that makes the spans. */
static int measure(unsigned n_threads, double *ret_median)
{
	double costs[BURSTS];
	unsigned each = BURST / n_threads;
	for (unsigned i = 0; i < BURSTS; i++) {
		pthread_t threads[THREADS_MAX];
		int64_t began_ns = now_ns();
		for (unsigned t = 1; t < n_threads; t++)
			if (pthread_create(&threads[t], NULL, make_burst,
					   &each))
				return 1;
		(void)make_burst(&each);
		for (unsigned t = 1; t < n_threads; t++)
			(void)pthread_join(threads[t], NULL);
		costs[i] = (double)(now_ns() - began_ns) / (double)each;
		wait_for_exporter();
	}
	qsort(costs, BURSTS, sizeof(*costs), compare_doubles);
	*ret_median = costs[BURSTS / 2];
	printf("a span costs %.0f ns with %u thread%s (slowest of %d bursts: "
	       "%.0f ns)\n",
	       *ret_median, n_threads, n_threads > 1 ? "s" : "", BURSTS,
	       costs[BURSTS - 1]);
	return 0;
}

int main(void)
{
	struct mkv_error err;
	if (setenv("MKVBENCH_TRACE_FILE", "/dev/null", 1) != 0)
		return 1;
	if (mkv_trace_start("span_cost", &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	double alone = 0, together = 0;
	int rc = measure(1, &alone);
	if (rc == 0)
		rc = measure(THREADS_MAX, &together);
	struct mkv_trace_counts counts = mkv_trace_counts();
	mkv_trace_stop(10);
	printf("%llu spans, %llu dropped\n", (unsigned long long)counts.ended,
	       (unsigned long long)counts.dropped);
	return rc || alone > LIMIT_NS || counts.dropped;
}

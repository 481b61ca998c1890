/* SPDX-License-Identifier: MIT */
#pragma once
/* Results of a run. */

#include "lib/buf.h"

struct mkv_load_sample {
	bool sent;
	int64_t intended_ns; /* since the start of the run */
	int64_t late_ns;     /* delay of the actual start */
	int64_t latency_ns;  /* from the intended start to the end of the answer
			      */
	unsigned status;     /* HTTP status; 0: no answer */
	int64_t order;	     /* id of the created order; 0: none */
};

/* The `permille` quantile of n sorted values, by nearest rank; 0 for n = 0. */
int64_t mkv_load_quantile(const int64_t *sorted, size_t n, unsigned permille)
	mkv_nonnull(1);

/* Appends a summary as one line of JSON: counts by outcome, achieved rate,
 * quantiles of the latency in microseconds, counts of spans. The first
 * `warm_up` samples are excluded. Requests that were not answered 200 are
 * counted, and excluded from the latencies. */
int mkv_load_summary(const struct mkv_load_sample *samples, size_t count,
		     size_t warm_up, double rate, struct mkv_buf *into,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 5, 6);

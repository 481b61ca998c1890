/* SPDX-License-Identifier: MIT */
#pragma once
/* What a run measured. */

#include "lib/buf.h"

struct mkv_load_sample {
	bool sent;
	int64_t intended_ns; /* since the run's beginning */
	int64_t late_ns;     /* how much later it was sent */
	int64_t latency_ns;  /* from the intended start to the answer's end */
	unsigned status;     /* of HTTP; 0: no answer */
	int64_t order;	     /* that was answered; 0: none */
};

/* The value below which `permille` of n sorted values lie (nearest rank). */
int64_t mkv_load_quantile(const int64_t *sorted, size_t n, unsigned permille)
	mkv_nonnull(1);

/* A summary as a line of JSON: counts by outcome, achieved rate, quantiles of
 * the latency in microseconds, what became of the spans. Samples before
 * `warm_up` are left out; what wasn't answered 200 is counted and has no
 * latency. */
int mkv_load_summary(const struct mkv_load_sample *samples, size_t count,
		     size_t warm_up, double rate, struct mkv_buf *into,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 5, 6);

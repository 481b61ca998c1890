/* SPDX-License-Identifier: MIT */
#pragma once
/* A histogram of durations with a bounded relative error, like HdrHistogram:
 * exact below 2,048 ns, above that 1,024 buckets for each power of two. A
 * quantile is the middle of its bucket and at most 1 part in 2,048 (0.049 %)
 * off; minimum and maximum are exact. Its size does not depend on the number of
 * values. */

#include <stdint.h>

enum {
	MKV_HISTOGRAM_BITS = 10,
	MKV_HISTOGRAM_BUCKETS =
		(1 << (MKV_HISTOGRAM_BITS + 1)) +
		(62 - MKV_HISTOGRAM_BITS) * (1 << MKV_HISTOGRAM_BITS),
};

struct mkv_histogram {
	uint64_t total;
	int64_t min, max; /* 0 without a value */
	uint64_t counts[MKV_HISTOGRAM_BUCKETS];
};

/* A negative value counts as 0. */
void mkv_histogram_add(struct mkv_histogram *histogram, int64_t value_ns);
/* The `permille` quantile by nearest rank; 0 without a value. */
int64_t mkv_histogram_quantile(const struct mkv_histogram *histogram,
			       unsigned permille);

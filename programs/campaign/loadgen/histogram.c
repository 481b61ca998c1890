/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/histogram.h"

#include <stddef.h>

enum {
	BITS = MKV_HISTOGRAM_BITS,
	PER_POWER = 1 << BITS,
	EXACT = 2 * PER_POWER,
};

/* Values from EXACT on keep their BITS + 1 leading bits. */
static size_t bucket_of(uint64_t value)
{
	if (value < EXACT)
		return (size_t)value;
	unsigned dropped = 63 - (unsigned)__builtin_clzll(value) - BITS;
	return EXACT + (dropped - 1) * (size_t)PER_POWER +
	       (size_t)((value >> dropped) - PER_POWER);
}

static int64_t middle_of(size_t bucket)
{
	if (bucket < EXACT)
		return (int64_t)bucket;
	unsigned dropped = (unsigned)((bucket - EXACT) / PER_POWER) + 1;
	uint64_t leading = PER_POWER + (bucket - EXACT) % PER_POWER;
	return (int64_t)((leading << dropped) + (UINT64_C(1) << dropped) / 2);
}

void mkv_histogram_add(struct mkv_histogram *histogram, int64_t value_ns)
{
	int64_t value = value_ns < 0 ? 0 : value_ns;
	if (histogram->total == 0 || value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->total++;
	histogram->counts[bucket_of((uint64_t)value)]++;
}

int64_t mkv_histogram_quantile(const struct mkv_histogram *histogram,
			       unsigned permille)
{
	uint64_t rank = (histogram->total * permille + 999) / 1000, below = 0;
	if (rank <= 1)
		return histogram->min;
	if (rank >= histogram->total)
		return histogram->max;
	size_t bucket = 0;
	for (; bucket < MKV_HISTOGRAM_BUCKETS; bucket++) {
		below += histogram->counts[bucket];
		if (below >= rank)
			break;
	}
	int64_t value = middle_of(bucket);
	return value < histogram->min	? histogram->min
	       : value > histogram->max ? histogram->max
					: value;
}

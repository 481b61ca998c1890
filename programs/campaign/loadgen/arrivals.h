/* SPDX-License-Identifier: MIT */
#pragma once
/* When the requests of a run are due. A schedule follows from its settings and
 * the seed alone, by integer arithmetic: it is the same on every machine. */

#include "lib/random.h"

enum mkv_arrivals {
	/* Request i is due at i / rate. */
	MKV_ARRIVALS_CONSTANT,
	/* Uniformly distributed between i / rate and (i + 1) / rate. */
	MKV_ARRIVALS_JITTERED,
	/* A Poisson process: the gaps are independent and exponentially
	 * distributed with mean 1 / rate. */
	MKV_ARRIVALS_POISSON,
};
/* The names of the three in this order, as in struct mkv_service_setting. */
#define MKV_ARRIVALS_WORDS "constant jittered poisson"

struct mkv_schedule {
	enum mkv_arrivals arrivals;
	uint64_t rate; /* requests per second */
	struct mkv_random random;
	uint64_t next; /* number of the next request; below 2^32 */
	/* Of the exponential variates so far, in units of 2^-40. */
	unsigned __int128 sum;
};

void mkv_schedule_init(struct mkv_schedule *schedule,
		       enum mkv_arrivals arrivals, uint64_t rate,
		       uint64_t seed);
/* When the next request is due, in nanoseconds since the start of the run;
 * never earlier than the one before. */
int64_t mkv_schedule_next(struct mkv_schedule *schedule);

/* -ln((bits + 1) / 2^64) in units of 2^-40, with an error below 2 units: an
 * exponential variate with mean 1 from 64 uniform bits. The binary logarithm is
 * taken bit by bit, by squaring a mantissa of 64 bits. */
uint64_t mkv_schedule_exponential(uint64_t bits);

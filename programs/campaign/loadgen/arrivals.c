/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/arrivals.h"

#include <stdbool.h>

#include "lib/clock.h"

enum { FRACTION_BITS = 40 };

/* ln(2) in units of 2^-64. */
static const uint64_t ln2 = UINT64_C(0xb17217f7d1cf79ab);

void mkv_schedule_init(struct mkv_schedule *schedule,
		       enum mkv_arrivals arrivals, uint64_t rate, uint64_t seed)
{
	*schedule = (struct mkv_schedule){.arrivals = arrivals, .rate = rate};
	mkv_random_seed(&schedule->random, seed);
}

/* log2(value), rounded down to units of 2^-40, for a value above 0. */
static uint64_t binary_logarithm(uint64_t value)
{
	unsigned exponent = 63 - (unsigned)__builtin_clzll(value);
	uint64_t mantissa = value << (63 - exponent); /* in [1, 2), Q1.63 */
	uint64_t fraction = 0;
	for (int i = 0; i < FRACTION_BITS; i++) {
		unsigned __int128 square =
			(unsigned __int128)mantissa * mantissa; /* Q2.126 */
		bool is_above_two = square >> 127;
		fraction = fraction << 1 | is_above_two;
		mantissa = (uint64_t)(square >> (is_above_two ? 64 : 63));
	}
	return (uint64_t)exponent << FRACTION_BITS | fraction;
}

uint64_t mkv_schedule_exponential(uint64_t bits)
{
	if (bits == UINT64_MAX)
		return 0;
	uint64_t halvings =
		(UINT64_C(64) << FRACTION_BITS) - binary_logarithm(bits + 1);
	return (uint64_t)((unsigned __int128)halvings * ln2 >> 64);
}

int64_t mkv_schedule_next(struct mkv_schedule *schedule)
{
	unsigned __int128 number = schedule->next++;
	uint64_t rate = schedule->rate;
	switch (schedule->arrivals) {
	case MKV_ARRIVALS_JITTERED:
		number = number << 64 | mkv_random_next(&schedule->random);
		return (int64_t)(number * MKV_NS_PER_S / rate >> 64);
	case MKV_ARRIVALS_POISSON:
		schedule->sum += mkv_schedule_exponential(
			mkv_random_next(&schedule->random));
		return (int64_t)(schedule->sum * MKV_NS_PER_S / rate >>
				 FRACTION_BITS);
	default:
		return (int64_t)(number * MKV_NS_PER_S / rate);
	}
}

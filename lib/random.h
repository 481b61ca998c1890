/* SPDX-License-Identifier: MIT */
#pragma once
/* xoshiro256** (Blackman and Vigna: Scrambled Linear Pseudorandom Number
 * Generators, ACM Transactions on Mathematical Software 47, 2021). The same
 * seed gives the same numbers on every machine. */

#include <stdint.h>

struct mkv_random {
	uint64_t s[4]; /* not all zero */
};

/* Fills the state from a seed by SplitMix64, as the generator's authors
 * recommend. */
static inline void mkv_random_seed(struct mkv_random *random, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		random->s[i] = z ^ z >> 31;
	}
}

/* 64 uniform bits. */
static inline uint64_t mkv_random_next(struct mkv_random *random)
{
	uint64_t *s = random->s, result = s[1] * 5, t = s[1] << 17;
	result = (result << 7 | result >> 57) * 9;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return result;
}

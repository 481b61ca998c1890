/* SPDX-License-Identifier: MIT */
#pragma once
/* Times of the kernel's clocks (clock_gettime(2)) as one number, and conversion
 * from and to struct timespec. */

#include <stdint.h>
#include <time.h>

enum { MKV_NS_PER_MS = 1000000, MKV_NS_PER_S = 1000000000 };

static inline int64_t mkv_timespec_ns(const struct timespec *time)
{
	return (int64_t)time->tv_sec * MKV_NS_PER_S + time->tv_nsec;
}

static inline struct timespec mkv_timespec_of_ns(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / MKV_NS_PER_S,
				 .tv_nsec = ns % MKV_NS_PER_S};
}

/* Nanoseconds of any clock. clock_gettime() cannot fail on Linux for the clocks
 * below. */
static inline int64_t mkv_clock_ns(clockid_t clock)
{
	struct timespec now;
	(void)clock_gettime(clock, &now);
	return mkv_timespec_ns(&now);
}

/* CLOCK_MONOTONIC: for durations and deadlines. */
static inline int64_t mkv_monotonic_ns(void)
{
	return mkv_clock_ns(CLOCK_MONOTONIC);
}

static inline int64_t mkv_monotonic_ms(void)
{
	return mkv_monotonic_ns() / MKV_NS_PER_MS;
}

static inline double mkv_monotonic_s(void)
{
	return (double)mkv_monotonic_ns() / MKV_NS_PER_S;
}

/* CLOCK_REALTIME: nanoseconds since 1970 (POSIX.1-2017, section 4.16). */
static inline int64_t mkv_realtime_ns(void)
{
	return mkv_clock_ns(CLOCK_REALTIME);
}

/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "verify/check/clock_judge.h"

static void sleep_until(int64_t when_ns)
{
	struct timespec at = mkv_timespec_of_ns(when_ns);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) ==
	       EINTR)
		;
}

/* Replaces the findings in `answer` with those of one reading. */
static enum mkv_result measure_clock(const struct mkv_env *env,
				     struct mkv_clock_reading *reading,
				     struct mkv_answer *answer)
{
	mkv_answer_done(answer);
	mkv_clock_read(env, reading);
	if (env->clock_log)
		mkv_clock_log(reading, env->clock_log);
	mkv_clock_judge(env, reading, answer);
	return mkv_answer_result(answer);
}

static const int64_t second_ns = 1000000000;

/* Measures once a second until the clock passes or the settling time is over.
 */
static enum mkv_result settle_clock(const struct mkv_env *env,
				    struct mkv_clock_reading *reading,
				    struct mkv_answer *answer,
				    int64_t *ret_took_ns)
{
	int64_t start = mkv_monotonic_ns(), next = start;
	for (;;) {
		enum mkv_result result = measure_clock(env, reading, answer);
		*ret_took_ns = mkv_monotonic_ns() - start;
		if (result == MKV_PASS ||
		    *ret_took_ns + second_ns > env->settle_ns)
			return result;
		next += second_ns;
		sleep_until(next);
	}
}

/* Measures once a second for the dwell time. The first reading that is not a
 * pass ends it, and its findings stay in `answer`. */
static enum mkv_result hold_clock(const struct mkv_env *env,
				  struct mkv_clock_reading *reading,
				  struct mkv_answer *answer, unsigned *ret_held,
				  int64_t *widest)
{
	int64_t start = mkv_monotonic_ns(), next = start;
	*ret_held = 0;
	for (;;) {
		next += second_ns;
		if (next - start > env->dwell_ns)
			return MKV_PASS;
		sleep_until(next);
		enum mkv_result result = measure_clock(env, reading, answer);
		if (result != MKV_PASS)
			return result;
		(*ret_held)++;
		int64_t bound = mkv_clock_stated_bound_ns(reading);
		if (bound > *widest)
			*widest = bound;
	}
}

void mkv_check_clock(const struct mkv_env *env, struct mkv_answer *answer)
{
	if (!env->contract->has_clock)
		return;
	auto_free struct mkv_clock_reading *reading =
		calloc(1, sizeof(*reading));
	if (!reading) {
		answer->failed = true;
		return;
	}
	int64_t took = 0;
	enum mkv_result result = settle_clock(env, reading, answer, &took);
	if (result != MKV_PASS) {
		if (env->settle_ns)
			mkv_answer_say(answer, result, "settled",
				       "monotonic clock",
				       "within the settling "
				       "time",
				       "not after %.0f s", (double)took / 1e9);
		return;
	}
	if (env->dwell_ns == 0)
		return;
	/* -1 on the time server, which has no bound. */
	int64_t widest = mkv_clock_stated_bound_ns(reading);
	unsigned held = 0;
	result = hold_clock(env, reading, answer, &held, &widest);
	char expected[64], width[64] = "no bound";
	if (widest >= 0)
		(void)snprintf(width, sizeof(width), "widest bound %.3f us",
			       (double)widest / 1000);
	(void)snprintf(expected, sizeof(expected), "every second for %.0f s",
		       (double)env->dwell_ns / 1e9);
	mkv_answer_say(answer, result, "held", "monotonic clock", expected,
		       result == MKV_PASS
			       ? "%u readings, %s, settled after %.0f s"
			       : "lost after %u readings (%s, settled "
				 "after %.0f s)",
		       held, width, (double)took / 1e9);
}

void mkv_check_clocksource(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char source[] = "/sys/devices/system/clocksource/"
				     "clocksource0/current_clocksource";
	const struct mkv_contract_strings *allowed = &env->image->clocksources;
	auto_free char *current = mkv_env_read(env, source);
	auto_buf struct mkv_buf list = {0};
	for (size_t i = 0; i < allowed->count; i++)
		mkv_buf_printf(&list, "%s%s", i ? ", " : "", allowed->items[i]);
	mkv_answer_add(answer,
		       allowed->count == 0 ? MKV_NOT_PROMISED
		       : !current	   ? MKV_NOT_ESTABLISHED
		       : mkv_contract_strings_have(allowed, current) ? MKV_PASS
								     : MKV_FAIL,
		       "current", source, allowed->count ? list.data : NULL,
		       current);
	auto_free char *available = mkv_env_read(
		env, "/sys/devices/system/clocksource/clocksource0/"
		     "available_clocksource");
	mkv_answer_add(answer, MKV_NOT_PROMISED, "available",
		       "/sys/devices/system/clocksource/clocksource0/"
		       "available_clocksource",
		       NULL, available);
}

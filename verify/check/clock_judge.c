/* SPDX-License-Identifier: MIT */
#include "verify/check/clock_judge.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>

/* Without libm: the verifier needs libc and libcrypto only. */
static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

static double us(int64_t ns)
{
	return (double)ns / 1000;
}

static enum mkv_result pass_if(bool holds)
{
	return holds ? MKV_PASS : MKV_FAIL;
}

/* "at most 80.0 us" */
static const char *limit_text(const struct mkv_env *env, char ret[static 64])
{
	(void)snprintf(ret, 64, "at most %.1f us",
		       us(env->contract->clock.limit_ns));
	return ret;
}

/* esterror counts whole microseconds: a good daemon's value is 0 when it is
 * below one. A daemon that sets no value leaves 0 as well, so 0 counts only
 * together with a stated bound within the limit, which is the proof. */
static bool is_bound_within_limit(const struct mkv_env *env,
				  const struct mkv_clock_reading *reading)
{
	int64_t bound = mkv_clock_stated_bound_ns(reading);
	return bound >= 0 && bound <= env->contract->clock.limit_ns;
}

static void judge_esterror(const struct mkv_env *env,
			   const struct mkv_clock_reading *reading,
			   struct mkv_answer *answer)
{
	int64_t limit_ns = env->contract->clock.limit_ns;
	const struct timex *kernel = &reading->kernel;
	long esterror = kernel->esterror;
	enum mkv_result result = MKV_NOT_ESTABLISHED;
	char observed[96], expected[64];
	(void)snprintf(observed, sizeof(observed), "%ld us", esterror);
	if (esterror > 0) {
		result = pass_if(esterror <= limit_ns / 1000);
	} else if (esterror == 0 && is_bound_within_limit(env, reading)) {
		result = MKV_PASS;
		(void)snprintf(observed, sizeof(observed), "below 1 us");
	} else if (esterror == 0) {
		(void)snprintf(observed, sizeof(observed),
			       "0, which without a stated bound within the "
			       "limit proves nothing");
	}
	mkv_answer_say(answer, result, "kernel's esterror", "adjtimex(2)",
		       limit_text(env, expected), "%s (maxerror %ld us)",
		       observed, kernel->maxerror);
}

static void judge_kernel(const struct mkv_env *env,
			 const struct mkv_clock_reading *reading,
			 struct mkv_answer *answer)
{
	static const char source[] = "adjtimex(2)";
	const struct timex *kernel = &reading->kernel;
	if (reading->kernel_state < 0) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "kernel clock",
			       source, "synchronised", NULL);
		return;
	}
	bool synchronised = reading->kernel_state != TIME_ERROR &&
			    !(kernel->status & STA_UNSYNC);
	const char *observed = synchronised ? "synchronised" : "unsynchronised";
	/* chronyd with a local reference leaves the kernel's flag set. */
	if (mkv_env_is_time_server(env)) {
		mkv_answer_say(answer, MKV_NOT_PROMISED, "kernel clock", source,
			       NULL, "%s, esterror %ld whole us", observed,
			       kernel->esterror);
		return;
	}
	mkv_answer_add(answer, pass_if(synchronised), "kernel clock", source,
		       "synchronised", observed);
	judge_esterror(env, reading, answer);
}

static bool is_same_address(const char *a, const char *b)
{
	static const int families[] = {AF_INET, AF_INET6};
	uint8_t x[16] = {0}, y[16] = {0};
	for (size_t i = 0; i < 2; i++)
		if (inet_pton(families[i], a, x) == 1 &&
		    inet_pton(families[i], b, y) == 1)
			return memcmp(x, y, sizeof(x)) == 0;
	return false;
}

static const char *reference_of(const struct mkv_chrony_tracking *tracking)
{
	if (tracking->ref_id == MKV_CHRONY_LOCAL_REFERENCE)
		return "its own clock";
	return tracking->address[0] ? tracking->address : "none";
}

/* A pending leap second is a step of one second to come. */
static void judge_leap(const struct mkv_env *env,
		       const struct mkv_chrony_tracking *t,
		       struct mkv_answer *answer)
{
	static const char *const leaps[] = {"normal", "a second to be inserted",
					    "a second to be deleted",
					    "not synchronised"};
	mkv_answer_say(answer, pass_if(t->leap == 0), "chronyd's leap status",
		       env->chrony_socket, "normal", "%s, stratum %u",
		       leaps[t->leap & 3], t->stratum);
}

static void judge_age(const struct mkv_env *env,
		      const struct mkv_clock_reading *reading,
		      struct mkv_answer *answer)
{
	const struct mkv_chrony_tracking *t = &reading->tracking;
	double age = mkv_clock_age_s(reading);
	double limit = larger(16, smaller(120, 4 * t->update_interval_s));
	char expected[64];
	(void)snprintf(expected, sizeof(expected), "at most %.0f s old", limit);
	mkv_answer_say(answer, pass_if(age >= -1 && age <= limit),
		       "last update", env->chrony_socket, expected,
		       "%.1f s old", age);
}

/* The error of the rate may add up to the limit in one update interval. */
static void judge_skew(const struct mkv_env *env,
		       const struct mkv_chrony_tracking *t,
		       struct mkv_answer *answer)
{
	double limit = (double)env->contract->clock.limit_ns * 1e-3 /
		       larger(1, t->update_interval_s);
	char expected[64];
	(void)snprintf(expected, sizeof(expected), "at most %.2f ppm", limit);
	mkv_answer_say(answer, pass_if(t->skew_ppm <= limit), "skew",
		       env->chrony_socket, expected, "%.3f ppm", t->skew_ppm);
}

static void judge_tracking(const struct mkv_env *env,
			   const struct mkv_clock_reading *reading,
			   struct mkv_answer *answer)
{
	const struct mkv_contract_clock *clock = &env->contract->clock;
	const struct mkv_chrony_tracking *t = &reading->tracking;
	const char *source = env->chrony_socket;
	char expected[64];
	if (!reading->has_tracking) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "chronyd", source,
			       "answers", reading->tracking_error.message);
		return;
	}
	judge_leap(env, t, answer);
	const char *reference = reference_of(t);
	if (mkv_env_is_time_server(env)) {
		mkv_answer_add(answer, MKV_NOT_PROMISED, "reference", source,
			       NULL, reference);
		return;
	}
	mkv_answer_add(answer,
		       pass_if(is_same_address(reference, clock->address)),
		       "reference", source, clock->address, reference);
	judge_age(env, reading, answer);
	mkv_answer_say(answer,
		       pass_if(fabs(t->system_offset_s) * 1e9 <=
			       (double)clock->limit_ns),
		       "system offset", source, limit_text(env, expected),
		       "%+.3f us", (0 - t->system_offset_s) * 1e6);
	judge_skew(env, t, answer);
}

static void judge_bound(const struct mkv_env *env,
			const struct mkv_clock_reading *reading,
			struct mkv_answer *answer)
{
	static const char source[] = "chronyd: tracking, ntpdata";
	const struct mkv_chrony_ntpdata *peer = &reading->ntpdata;
	int64_t bound = mkv_clock_bound_ns(reading);
	char expected[64];
	(void)limit_text(env, expected);
	if (bound < 0) {
		mkv_answer_add(
			answer, MKV_NOT_ESTABLISHED, "bound", source, expected,
			reading->has_ntpdata ? NULL
					     : reading->ntpdata_error.message);
		return;
	}
	mkv_answer_say(
		answer, pass_if(bound <= env->contract->clock.limit_ns),
		"bound", source, expected,
		"%.3f us = |offset| %.3f + delay/2 %.3f + dispersion %.3f + "
		"%.1f s x (%.3f + %.0f) ppm; stamps %c%c",
		us(bound), fabs(reading->tracking.system_offset_s) * 1e6,
		peer->peer_delay_s * 5e5, peer->peer_dispersion_s * 1e6,
		larger(0, mkv_clock_age_s(reading)), reading->tracking.skew_ppm,
		MKV_CLOCK_DRIFT_PPM, peer->tx_stamp, peer->rx_stamp);
}

/* A pass needs the whole interval offset +- delay/2 within the limit, a fail
 * all of it outside. The time server itself states no bound. */
static enum mkv_result judge_sample(const struct mkv_env *env,
				    const struct mkv_sntp_sample *s)
{
	int64_t limit_ns = env->contract->clock.limit_ns;
	if (llabs(s->offset_ns) - s->delay_ns / 2 > limit_ns)
		return MKV_FAIL;
	if (mkv_env_is_time_server(env) || mkv_sntp_bound_ns(s) <= limit_ns)
		return MKV_PASS;
	return MKV_NOT_ESTABLISHED;
}

static void judge_sntp(const struct mkv_env *env,
		       const struct mkv_clock_reading *reading,
		       struct mkv_answer *answer)
{
	static const char what[] = "independent exchange";
	static const char *const stamps[] = {
		[MKV_STAMPS_PROGRAM] = "program",
		[MKV_STAMPS_KERNEL] = "kernel",
		[MKV_STAMPS_HARDWARE] = "hardware",
	};
	const struct mkv_contract_clock *clock = &env->contract->clock;
	const struct mkv_sntp_sample *s = &reading->sntp;
	char expected[64], source[128];
	(void)snprintf(source, sizeof(source), "SNTP to %.64s", clock->address);
	if (mkv_env_is_time_server(env))
		(void)snprintf(expected, sizeof(expected),
			       "serves time on the VLAN");
	else
		(void)snprintf(expected, sizeof(expected),
			       "|offset| + delay/2 at most %.1f us",
			       us(clock->limit_ns));
	if (!reading->has_sntp) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, what, source,
			       expected, reading->sntp_error.message);
		return;
	}
	mkv_answer_say(answer, judge_sample(env, s), what, source, expected,
		       "%+.3f us +- %.3f us (best of %u, %s stamps, "
		       "stratum %u)",
		       us(s->offset_ns), us(s->delay_ns) / 2, s->exchanges,
		       stamps[s->stamps], s->stratum);
}

void mkv_clock_judge(const struct mkv_env *env,
		     const struct mkv_clock_reading *reading,
		     struct mkv_answer *answer)
{
	judge_kernel(env, reading, answer);
	judge_tracking(env, reading, answer);
	if (!mkv_env_is_time_server(env))
		judge_bound(env, reading, answer);
	judge_sntp(env, reading, answer);
}

/* SPDX-License-Identifier: MIT */
#include "verify/probe/clock.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"

enum { EXCHANGES = 8 };

/* chronyd's own reference, 127.127.1.1, when it follows nobody. */
static const uint32_t local_reference = 0x7f7f0101;

/* Without libm: the verifier needs libc and libcrypto only. */
static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

void mkv_clock_read(const struct mkv_env *env, struct mkv_clock_reading *ret)
{
	const struct mkv_contract_clock *clock = &env->contract->clock;
	*ret = (struct mkv_clock_reading){0};
	if (env->kernel_clock) {
		ret->kernel = *env->kernel_clock;
		ret->kernel_state =
			ret->kernel.status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
	} else {
		ret->kernel_state = adjtimex(&ret->kernel);
	}
	ret->has_tracking =
		mkv_chrony_tracking(env->chrony_socket, &ret->tracking,
				    &ret->tracking_error) == 0;
	if (!mkv_env_is_time_server(env))
		ret->has_ntpdata =
			mkv_chrony_ntpdata(env->chrony_socket, clock->address,
					   &ret->ntpdata,
					   &ret->ntpdata_error) == 0;
	ret->now_s = (double)mkv_realtime_ns() * 1e-9;
	ret->has_sntp = mkv_sntp_ask(clock->address, env->ntp_port, EXCHANGES,
				     &ret->sntp, &ret->sntp_error) == 0;
	struct mkv_figures *figures = env->figures;
	if (!figures)
		return;
	int64_t bound = mkv_clock_stated_bound_ns(ret);
	figures->clock_offset_s =
		ret->has_tracking ? 0 - ret->tracking.system_offset_s : NAN;
	figures->clock_bound_s = bound < 0 ? NAN : (double)bound * 1e-9;
	figures->sntp_offset_s =
		ret->has_sntp ? (double)ret->sntp.offset_ns * 1e-9 : NAN;
	figures->sntp_delay_s =
		ret->has_sntp ? (double)ret->sntp.delay_ns * 1e-9 : NAN;
}

static double age_s(const struct mkv_clock_reading *reading)
{
	return reading->now_s - reading->tracking.ref_time_s;
}

int64_t mkv_clock_bound_ns(const struct mkv_clock_reading *reading)
{
	if (!reading->has_tracking || !reading->has_ntpdata)
		return -1;
	double age = age_s(reading);
	double bound =
		fabs(reading->tracking.system_offset_s) +
		reading->ntpdata.peer_delay_s / 2 +
		reading->ntpdata.peer_dispersion_s +
		(age > 0 ? age : 0) *
			(reading->tracking.skew_ppm + MKV_CLOCK_DRIFT_PPM) *
			1e-6;
	if (!isfinite(bound) || bound > 9e9 || age < -1)
		return -1;
	return (int64_t)(bound * 1e9) + 1;
}

static int64_t magnitude(int64_t ns)
{
	return ns < 0 ? -ns : ns;
}

/* The farthest that the truth may be by an exchange. */
static int64_t sntp_bound_ns(const struct mkv_sntp_sample *s)
{
	return magnitude(s->offset_ns) + (s->delay_ns + 1) / 2;
}

int64_t mkv_clock_stated_bound_ns(const struct mkv_clock_reading *reading)
{
	int64_t bound = mkv_clock_bound_ns(reading);
	if (bound < 0 || !reading->has_sntp)
		return -1;
	int64_t other = sntp_bound_ns(&reading->sntp);
	return other > bound ? other : bound;
}

static double us(int64_t ns)
{
	return (double)ns / 1000;
}

/* esterror counts whole microseconds: a good daemon's figure is 0 when it is
 * below one. A daemon without a figure writes 0 as well, so that 0 counts only
 * beside a stated bound within the limit, which is the proof. */
static bool is_backed(const struct mkv_env *env,
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
	(void)snprintf(expected, sizeof(expected), "at most %.1f us",
		       us(limit_ns));
	(void)snprintf(observed, sizeof(observed), "%ld us", esterror);
	if (esterror > 0) {
		result = esterror <= limit_ns / 1000 ? MKV_PASS : MKV_FAIL;
	} else if (esterror == 0 && is_backed(env, reading)) {
		result = MKV_PASS;
		(void)snprintf(observed, sizeof(observed), "below 1 us");
	} else if (esterror == 0) {
		(void)snprintf(observed, sizeof(observed),
			       "0, which without a stated bound within the "
			       "limit shows nothing");
	}
	mkv_answer_say(answer, result, "kernel's esterror", "adjtimex(2)",
		       expected, "%s (maxerror %ld us)", observed,
		       kernel->maxerror);
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
	/* A server that vouches for its own clock leaves the kernel's flag. */
	if (mkv_env_is_time_server(env)) {
		mkv_answer_say(answer, MKV_NOT_PROMISED, "kernel clock", source,
			       NULL, "%s, esterror %ld whole us",
			       synchronised ? "synchronised" : "unsynchronised",
			       kernel->esterror);
		return;
	}
	mkv_answer_add(answer, synchronised ? MKV_PASS : MKV_FAIL,
		       "kernel clock", source, "synchronised",
		       synchronised ? "synchronised" : "unsynchronised");
	judge_esterror(env, reading, answer);
}

static bool same_address(const char *a, const char *b)
{
	uint8_t x[16] = {0}, y[16] = {0};
	for (int family = 0; family < 2; family++) {
		int af = family ? AF_INET6 : AF_INET;
		if (inet_pton(af, a, x) == 1 && inet_pton(af, b, y) == 1)
			return memcmp(x, y, sizeof(x)) == 0;
	}
	return false;
}

static void judge_tracking(const struct mkv_env *env,
			   const struct mkv_clock_reading *reading,
			   struct mkv_answer *answer)
{
	const struct mkv_contract_clock *clock = &env->contract->clock;
	const struct mkv_chrony_tracking *t = &reading->tracking;
	const char *source = env->chrony_socket;
	if (!reading->has_tracking) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "chronyd", source,
			       "answers", reading->tracking_error.message);
		return;
	}
	/* A leap second that is pending is a step of one second to come. */
	static const char *const leaps[] = {"normal", "a second to be inserted",
					    "a second to be deleted",
					    "not synchronised"};
	mkv_answer_say(answer, t->leap == 0 ? MKV_PASS : MKV_FAIL,
		       "chronyd's leap status", source, "normal",
		       "%s, stratum %u", leaps[t->leap & 3], t->stratum);
	if (mkv_env_is_time_server(env)) {
		mkv_answer_say(answer, MKV_NOT_PROMISED, "reference", source,
			       NULL, "%s",
			       t->ref_id == local_reference ? "its own clock"
			       : t->address[0]		    ? t->address
							    : "none");
		return;
	}
	const char *reference = t->ref_id == local_reference ? "its own clock"
				: t->address[0]		     ? t->address
							     : "none";
	mkv_answer_add(answer,
		       same_address(reference, clock->address) ? MKV_PASS
							       : MKV_FAIL,
		       "reference", source, clock->address, reference);
	double age = age_s(reading);
	double freshest = larger(16, smaller(120, 4 * t->update_interval_s));
	char expected[64];
	(void)snprintf(expected, sizeof(expected), "at most %.0f s old",
		       freshest);
	mkv_answer_say(answer,
		       age >= -1 && age <= freshest ? MKV_PASS : MKV_FAIL,
		       "last update", source, expected, "%.1f s old", age);
	(void)snprintf(expected, sizeof(expected), "at most %.1f us",
		       us(clock->limit_ns));
	mkv_answer_say(answer,
		       fabs(t->system_offset_s) * 1e9 <= (double)clock->limit_ns
			       ? MKV_PASS
			       : MKV_FAIL,
		       "system offset", source, expected, "%+.3f us",
		       (0 - t->system_offset_s) * 1e6);
	/* The rate may be uncertain by no more than what makes the limit of an
	 * update interval. */
	double interval = larger(1, t->update_interval_s);
	double skew_limit = (double)clock->limit_ns * 1e-3 / interval;
	(void)snprintf(expected, sizeof(expected), "at most %.2f ppm",
		       skew_limit);
	mkv_answer_say(answer, t->skew_ppm <= skew_limit ? MKV_PASS : MKV_FAIL,
		       "skew", source, expected, "%.3f ppm", t->skew_ppm);
}

static void judge_bound(const struct mkv_env *env,
			const struct mkv_clock_reading *reading,
			struct mkv_answer *answer)
{
	const struct mkv_contract_clock *clock = &env->contract->clock;
	int64_t bound = mkv_clock_bound_ns(reading);
	char expected[64];
	(void)snprintf(expected, sizeof(expected), "at most %.1f us",
		       us(clock->limit_ns));
	if (bound < 0) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "bound",
			       "chronyd: tracking, ntpdata", expected,
			       reading->has_ntpdata
				       ? NULL
				       : reading->ntpdata_error.message);
		return;
	}
	const struct mkv_chrony_ntpdata *peer = &reading->ntpdata;
	mkv_answer_say(
		answer, bound <= clock->limit_ns ? MKV_PASS : MKV_FAIL, "bound",
		"chronyd: tracking, ntpdata", expected,
		"%.3f us = |offset| %.3f + delay/2 %.3f + dispersion %.3f + "
		"%.1f s x (%.3f + %.0f) ppm; stamps %c%c",
		us(bound), fabs(reading->tracking.system_offset_s) * 1e6,
		peer->peer_delay_s * 5e5, peer->peer_dispersion_s * 1e6,
		larger(0, age_s(reading)), reading->tracking.skew_ppm,
		MKV_CLOCK_DRIFT_PPM, peer->tx_stamp, peer->rx_stamp);
}

static void judge_sntp(const struct mkv_env *env,
		       const struct mkv_clock_reading *reading,
		       struct mkv_answer *answer)
{
	const struct mkv_contract_clock *clock = &env->contract->clock;
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
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED,
			       "independent exchange", source, expected,
			       reading->sntp_error.message);
		return;
	}
	static const char *const stamps[] = {
		[MKV_STAMPS_PROGRAM] = "program",
		[MKV_STAMPS_KERNEL] = "kernel",
		[MKV_STAMPS_HARDWARE] = "hardware",
	};
	const struct mkv_sntp_sample *s = &reading->sntp;
	enum mkv_result result = MKV_NOT_ESTABLISHED;
	if (magnitude(s->offset_ns) - s->delay_ns / 2 > clock->limit_ns)
		result = MKV_FAIL;
	else if (mkv_env_is_time_server(env) ||
		 sntp_bound_ns(s) <= clock->limit_ns)
		result = MKV_PASS;
	mkv_answer_say(answer, result, "independent exchange", source, expected,
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

void mkv_clock_log(const struct mkv_clock_reading *reading,
		   struct mkv_buf *into)
{
	const struct timex *kernel = &reading->kernel;
	const struct mkv_chrony_tracking *tracking = &reading->tracking;
	const struct mkv_chrony_ntpdata *peer = &reading->ntpdata;
	const struct mkv_sntp_sample *sntp = &reading->sntp;
	mkv_buf_printf(into, "%.6f", reading->now_s);
	if (reading->kernel_state >= 0)
		mkv_buf_printf(into,
			       " kernel: state %d status 0x%x esterror %ld us "
			       "maxerror %ld us freq %ld tick %ld;",
			       reading->kernel_state, (unsigned)kernel->status,
			       kernel->esterror, kernel->maxerror, kernel->freq,
			       kernel->tick);
	if (reading->has_tracking)
		mkv_buf_printf(
			into,
			" tracking: reference %08x stratum %u leap %u updated "
			"%.6f offset %.9f s last %.9f s rms %.9f s skew %.4f "
			"ppm root delay %.9f s dispersion %.9f s interval "
			"%.3f s;",
			tracking->ref_id, tracking->stratum, tracking->leap,
			tracking->ref_time_s, tracking->system_offset_s,
			tracking->last_offset_s, tracking->rms_offset_s,
			tracking->skew_ppm, tracking->root_delay_s,
			tracking->root_dispersion_s,
			tracking->update_interval_s);
	if (reading->has_ntpdata)
		mkv_buf_printf(into,
			       " peer: offset %.9f s delay %.9f s dispersion "
			       "%.9f s stamps %c%c;",
			       peer->offset_s, peer->peer_delay_s,
			       peer->peer_dispersion_s, peer->tx_stamp,
			       peer->rx_stamp);
	if (reading->has_sntp)
		mkv_buf_printf(into,
			       " sntp: offset %lld ns delay %lld ns of %u",
			       (long long)sntp->offset_ns,
			       (long long)sntp->delay_ns, sntp->exchanges);
	mkv_buf_char(into, '\n');
}

/* SPDX-License-Identifier: MIT */
#include "verify/probe/clock.h"

#include <math.h>
#include <stdlib.h>

#include "lib/clock.h"

enum { EXCHANGES = 8 };

static void record_figures(const struct mkv_clock_reading *reading,
			   struct mkv_figures *figures)
{
	const struct mkv_sntp_sample *sntp = &reading->sntp;
	int64_t bound = mkv_clock_stated_bound_ns(reading);
	figures->clock_offset_s =
		reading->has_tracking ? 0 - reading->tracking.system_offset_s
				      : NAN;
	figures->clock_bound_s = bound < 0 ? NAN : (double)bound * 1e-9;
	figures->sntp_offset_s =
		reading->has_sntp ? (double)sntp->offset_ns * 1e-9 : NAN;
	figures->sntp_delay_s =
		reading->has_sntp ? (double)sntp->delay_ns * 1e-9 : NAN;
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
	ret->has_sntp = mkv_sntp_query(clock->address, env->ntp_port, EXCHANGES,
				       &ret->sntp, &ret->sntp_error) == 0;
	if (env->figures)
		record_figures(ret, env->figures);
}

double mkv_clock_age_s(const struct mkv_clock_reading *reading)
{
	return reading->now_s - reading->tracking.ref_time_s;
}

int64_t mkv_clock_bound_ns(const struct mkv_clock_reading *reading)
{
	if (!reading->has_tracking || !reading->has_ntpdata)
		return -1;
	double age = mkv_clock_age_s(reading);
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

int64_t mkv_clock_stated_bound_ns(const struct mkv_clock_reading *reading)
{
	int64_t bound = mkv_clock_bound_ns(reading);
	if (bound < 0 || !reading->has_sntp)
		return -1;
	int64_t other = mkv_sntp_bound_ns(&reading->sntp);
	return other > bound ? other : bound;
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

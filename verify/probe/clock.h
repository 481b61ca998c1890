/* SPDX-License-Identifier: MIT */
#pragma once
/* One reading of the clock by every independent source (a witness): the kernel,
 * chronyd, and an SNTP exchange with the VLAN's time server. */

#include <sys/timex.h>

#include "verify/probe/chrony.h"
#include "verify/probe/env.h"
#include "verify/probe/sntp.h"

struct mkv_clock_reading {
	double now_s;	  /* when it was taken, in seconds since 1970 */
	int kernel_state; /* return value of adjtimex(2); below 0: failed */
	struct timex kernel;
	bool has_tracking, has_ntpdata, has_sntp;
	struct mkv_chrony_tracking tracking;
	struct mkv_chrony_ntpdata ntpdata;
	struct mkv_sntp_sample sntp;
	/* Valid where the has_ of the same name is false. */
	struct mkv_error tracking_error, ntpdata_error, sntp_error;
};

/* Reads every witness; a missing one is an error in the reading. Updates
 * env->figures unless NULL. */
void mkv_clock_read(const struct mkv_env *env, struct mkv_clock_reading *ret)
	mkv_nonnull(1, 2);

/* Seconds since chronyd's last update of the clock. */
double mkv_clock_age_s(const struct mkv_clock_reading *reading) mkv_nonnull(1);

/* How far this clock may be from the server's, by chronyd's data:
 *
 *     |system offset| + peer delay / 2 + peer dispersion
 *         + age x (skew + MKV_CLOCK_DRIFT_PPM)
 *
 * The sum is a bound as long as the server's own time stamps are right: half
 * the delay covers any asymmetry of the path, skew is chronyd's bound of its
 * error of the rate, and the drift limit covers a change of the crystal's rate
 * since the last update. -1 when a witness is missing. */
#define MKV_CLOCK_DRIFT_PPM 1.0
int64_t mkv_clock_bound_ns(const struct mkv_clock_reading *reading)
	mkv_nonnull(1);

/* The stated bound: the wider of chronyd's and of the independent exchange's,
 * mkv_sntp_bound_ns(). A step of the server is in the exchange at once, in
 * chronyd's data only after its next update. -1 when a witness is missing. */
int64_t mkv_clock_stated_bound_ns(const struct mkv_clock_reading *reading)
	mkv_nonnull(1);

/* Appends one line with the raw numbers, for the evidence. */
void mkv_clock_log(const struct mkv_clock_reading *reading,
		   struct mkv_buf *into) mkv_nonnull(1, 2);

/* SPDX-License-Identifier: MIT */
#pragma once
/* One reading of the clock by every witness there is, and the judgement of it.
 * The claim is: this clock is within the limit of the VLAN's time server. */

#include <sys/timex.h>

#include "verify/check/check.h"
#include "verify/probe/chrony.h"
#include "verify/probe/sntp.h"

struct mkv_clock_reading {
	double now_s;	  /* when it was taken, since 1970 */
	int kernel_state; /* adjtimex(2)'s value; below 0: it failed */
	struct timex kernel;
	bool has_tracking, has_ntpdata, has_sntp;
	struct mkv_chrony_tracking tracking;
	struct mkv_chrony_ntpdata ntpdata;
	struct mkv_sntp_sample sntp;
	/* Why a witness is missing. */
	struct mkv_error tracking_error, ntpdata_error, sntp_error;
};

void mkv_clock_read(const struct mkv_env *env, struct mkv_clock_reading *ret)
	mkv_nonnull(1, 2);

/* How far this clock may be from the server's, by what chronyd knows:
 *
 *     |system offset| + peer delay / 2 + peer dispersion
 *         + age x (skew + MKV_CLOCK_DRIFT_PPM)
 *
 * It is a bound when the server's own stamps are right: half the delay covers
 * any asymmetry of the path, skew is chrony's confidence in the rate, the drift
 * limit is what the crystal may do on top since the last update. -1 when a
 * witness is missing. */
#define MKV_CLOCK_DRIFT_PPM 1.0
int64_t mkv_clock_bound_ns(const struct mkv_clock_reading *reading)
	mkv_nonnull(1);

/* The bound that is stated: the wider of chronyd's and of what the independent
 * exchange leaves open, |offset| + delay / 2. The second sees at once what the
 * first learns at its next update. -1 when a witness is missing. */
int64_t mkv_clock_stated_bound_ns(const struct mkv_clock_reading *reading)
	mkv_nonnull(1);

/* Appends a line of the numbers as they were read, for the evidence. */
void mkv_clock_log(const struct mkv_clock_reading *reading,
		   struct mkv_buf *into) mkv_nonnull(1, 2);

/* Appends the findings of one reading. */
void mkv_clock_judge(const struct mkv_env *env,
		     const struct mkv_clock_reading *reading,
		     struct mkv_answer *answer) mkv_nonnull(1, 2, 3);

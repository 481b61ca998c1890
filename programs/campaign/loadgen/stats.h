/* SPDX-License-Identifier: MIT */
#pragma once
/* Counts and distributions of a phase of a run, and how they are printed. */

#include "lib/buf.h"
#include "programs/campaign/loadgen/histogram.h"
#include "programs/campaign/loadgen/load.h"
#include "programs/campaign/loadgen/results.h"

struct mkv_load_stats {
	uint64_t sent, answered, refused, lost, blocked;
	/* Of the first request, and of the one with the highest number: */
	int64_t first_intended_ns, last_intended_ns, last_late_ns;
	int64_t latest_end_ns;	       /* of an answer, since the run's start */
	struct mkv_histogram latency;  /* of answered requests */
	struct mkv_histogram lateness; /* of all */
};

/* Adds a complete sample, `is_good` when it has the wanted status. */
void mkv_load_stats_add(struct mkv_load_stats *stats,
			const struct mkv_load_sample *sample, bool is_good)
	mkv_nonnull(1, 2);

/* The rate at which the requests were really sent, as a decimal number of 6
 * places: the rate that was asked for, times the time that the schedule needs
 * from the first to the last of them, each with the mean gap behind it, divided
 * by the time that they took. So chance in a schedule changes nothing. */
void mkv_load_stats_rate(const struct mkv_load_stats *stats, int64_t rate,
			 char ret[static 48]) mkv_nonnull(1);

/* Appends the summary of a run, one line of JSON. Requests of the warm-up are
 * no part of it. */
int mkv_load_summary(const struct mkv_load_options *options,
		     const struct mkv_load_outcome *outcome,
		     const struct mkv_load_stats *measured,
		     struct mkv_buf *into, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Appends progress.json. `stats` are those of the phase. */
int mkv_load_progress(const struct mkv_load_options *options, const char *phase,
		      const struct mkv_load_stats *stats,
		      const struct mkv_load_stats *warm_up,
		      const struct mkv_load_stats *measured,
		      unsigned connections, struct mkv_buf *into,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 7, 8);

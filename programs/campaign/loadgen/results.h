/* SPDX-License-Identifier: MIT */
#pragma once
/* The files of a run, in DATA_DIR/RUN:
 *
 *     load.csv       a line per request that was sent, in the order of their
 *                    numbers, written while the run goes on
 *     progress.json  replaced each second
 *     summary.json   at the end; without it the run is not complete
 *
 * Memory is bounded: samples are kept until those before them were answered, in
 * a ring whose size follows from rate and timeout, and quantiles come from
 * histograms. */

#include "programs/campaign/loadgen/load.h"

/* Of the whole run. */
struct mkv_load_outcome {
	size_t sent;
	bool is_interrupted;
	int64_t began_realtime_ns, ended_realtime_ns;
	unsigned connections_used;
};

struct mkv_load_results;
/* Makes the directory of the run, which must not exist. */
int mkv_load_results_open(const struct mkv_load_options *options,
			  struct mkv_load_results **ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Removes the files of a run without any request. */
void mkv_load_results_close(struct mkv_load_results *results);

/* Whether there is room for sample `index`. The others below may be called from
 * any thread, this too. */
bool mkv_load_results_has_room(const struct mkv_load_results *results,
			       size_t index) mkv_nonnull(1);
/* The sample of request `index`, for which there must be room. */
struct mkv_load_sample *
mkv_load_results_sample(struct mkv_load_results *results, size_t index)
	mkv_nonnull(1);
void mkv_load_results_count_sent(struct mkv_load_results *results, size_t index)
	mkv_nonnull(1);
/* Counts a sample that is set; afterwards it belongs to the results. */
void mkv_load_results_complete(struct mkv_load_results *results, size_t index)
	mkv_nonnull(1);

/* Writes the samples that are complete up to the first that is not. One thread
 * calls it. */
int mkv_load_results_write(struct mkv_load_results *results,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
int mkv_load_results_progress(struct mkv_load_results *results,
			      unsigned connections, bool is_done,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4);
/* Syncs load.csv and appends the summary to `summary`, one line of JSON. */
int mkv_load_results_summary(struct mkv_load_results *results,
			     const struct mkv_load_outcome *outcome,
			     struct mkv_buf *summary,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Writes summary.json and the last progress.json. */
int mkv_load_results_finish(struct mkv_load_results *results,
			    const struct mkv_load_outcome *outcome,
			    const struct mkv_buf *summary,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Whether at least one request was measured, and every measured one was
 * answered with the status that is wanted. */
bool mkv_load_results_are_good(const struct mkv_load_results *results)
	mkv_nonnull(1);

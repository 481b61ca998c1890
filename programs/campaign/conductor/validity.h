/* SPDX-License-Identifier: MIT */
#pragma once
/* Whether a finished run counts: the load generator's files and the counted
 * spans, compared with the plan's limits. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/json.h"
#include "programs/campaign/conductor/reason.h"

struct mkv_run_facts {
	/* Of the summary. Rates are in requests per 10^9 seconds. */
	bool is_interrupted;
	int64_t late_p99_ns, blocked, rate_asked, rate_achieved;
	int64_t began_realtime_ns, measured_began_realtime_ns,
		ended_realtime_ns;
	/* Spans of the load generator itself. */
	uint64_t spans_ended, spans_dropped;
	/* Of load.csv: its rows, and those with the expected status. */
	uint64_t rows, answered;
};

struct mkv_span_facts {
	bool is_counted; /* false: no spans come to the collector */
	uint64_t expected, received, dropped;
};

struct mkv_validity_limits {
	uint64_t requests; /* of the warm-up and measured */
	int64_t lateness_ns;
	int64_t rate_ppb; /* |achieved - asked| / asked, in 10^-9 */
};

/* Reads load-summary.json. Members that it does not need may be there. */
int mkv_facts_read_summary(const json_t *summary, struct mkv_run_facts *ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Counts the rows of load.csv, from the descriptor's current position. A file
 * without the column `status`, and a row that was cut, are errors. */
int mkv_facts_read_rows(int fd, int64_t status, struct mkv_run_facts *ret,
			struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);

/* A set of enum mkv_reason; 0: the run is valid. */
unsigned mkv_validity_find(const struct mkv_run_facts *load,
			   const struct mkv_span_facts *spans,
			   const struct mkv_validity_limits *limits)
	mkv_nonnull(1, 2, 3);

/* "19.99" -> 19990000000; up to nine decimals, more are cut off. */
int mkv_decimal_parse(const char *text, int64_t *ret) mkv_must_check
	mkv_nonnull(1, 2);

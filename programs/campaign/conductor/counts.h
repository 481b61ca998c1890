/* SPDX-License-Identifier: MIT */
#pragma once
/* Counters of spans in the services' /metrics. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/auto.h"

struct mkv_span_counts {
	uint64_t ended, exported, dropped;
};

/* Reads mkvbench_spans_total of text in Prometheus' format. False: one of the
 * three is missing, occurs twice or is no integer. */
bool mkv_span_counts_read(const char *text, size_t size,
			  struct mkv_span_counts *ret) mkv_must_check
	mkv_nonnull(1, 3);

/* Whether no span of the service waits for its export. */
bool mkv_span_counts_settled(const struct mkv_span_counts *now) mkv_nonnull(1);

/* What a run added. False: a counter went back, so the service was restarted,
 * and what it counted before is unknown. */
bool mkv_span_counts_since(const struct mkv_span_counts *now,
			   const struct mkv_span_counts *before,
			   struct mkv_span_counts *ret) mkv_must_check
	mkv_nonnull(1, 2, 3);

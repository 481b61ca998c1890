/* SPDX-License-Identifier: MIT */
#pragma once
/* OpenTelemetry spans. Ending a span takes only the lock of a bounded queue,
 * which a separate thread exports; a span that finds the queue full is dropped
 * and counted. Starts are CLOCK_REALTIME, durations CLOCK_MONOTONIC, both in
 * nanoseconds. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "programs/lib/settings.h"

/* Identifies a parent span (W3C Trace Context). All zero: none. */
struct mkv_trace_context {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	bool sampled;
};

enum mkv_span_kind { /* OTLP's numbers */
		     MKV_SPAN_INTERNAL = 1,
		     MKV_SPAN_SERVER = 2,
		     MKV_SPAN_CLIENT = 3,
};

enum { MKV_SPAN_ATTRIBUTES_MAX = 4, MKV_SPAN_TEXT_MAX = 40 };

struct mkv_span_attribute {
	const char *key; /* static storage duration */
	bool is_text;
	int64_t number;
	char text[MKV_SPAN_TEXT_MAX];
};

struct mkv_span {
	struct mkv_trace_context context; /* of this span */
	uint8_t parent_id[8];
	const char *name; /* static storage duration */
	enum mkv_span_kind kind;
	int64_t start_ns;   /* since the epoch */
	int64_t started_ns; /* monotonic */
	int64_t duration_ns;
	bool is_error;
	struct mkv_span_attribute attributes[MKV_SPAN_ATTRIBUTES_MAX];
	unsigned n_attributes;
};

/* Parses "00-<32 hex>-<16 hex>-<2 hex>". Invalid input (ids of all zeros, upper
 * case, version ff) gives false and an all-zero *ret. */
bool mkv_traceparent_parse(const char *text, struct mkv_trace_context *ret)
	mkv_nonnull(2);
void mkv_traceparent_print(const struct mkv_trace_context *context,
			   char ret[static 56]) mkv_nonnull(1, 2);

/* Begins a child span of `parent`; NULL or all zero: the root of a new trace.
 */
void mkv_span_begin(struct mkv_span *span, const char *name,
		    enum mkv_span_kind kind,
		    const struct mkv_trace_context *parent) mkv_nonnull(1, 2);
void mkv_span_number(struct mkv_span *span, const char *key, int64_t value)
	mkv_nonnull(1, 2);
void mkv_span_text(struct mkv_span *span, const char *key, const char *value)
	mkv_nonnull(1, 2, 3);
/* Ends the span and queues it for export. */
void mkv_span_end(struct mkv_span *span) mkv_nonnull(1);

extern const struct mkv_service_setting mkv_trace_settings[];
/* Starts the exporter. The destination is the first that is set of
 * OTLP_ENDPOINT
 * ("http://host:4318"), TRACE_FILE (OTLP JSON lines), port 4318 of
 * ADDRESS_COLLECTOR, and /var/lib/SERVICE/traces.jsonl if that directory is
 * writable. "none" for either of the first two disables the export. Resource
 * attributes are the service's name, HOST, ROLE, SCENARIO, CONTRACT and
 * BOOT_ID.
 */
int mkv_trace_start(const char *service, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Exports the queued spans for at most `limit_s` seconds, drops the rest and
 * joins the thread. */
void mkv_trace_stop(unsigned limit_s);

struct mkv_trace_counts {
	uint64_t ended, exported, dropped;
};
struct mkv_trace_counts mkv_trace_counts(void);

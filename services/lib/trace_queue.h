/* SPDX-License-Identifier: MIT */
#pragma once
/* The bounded queue between requests and the exporter. */

#include "services/lib/trace.h"

enum { MKV_TRACE_QUEUE = 32768, MKV_TRACE_BATCH = 512 };

/* Copies the span in, or counts a drop. */
void mkv_trace_put(const struct mkv_span *span) mkv_nonnull(1);

/* One way out. Takes a batch of at least one span; -EAGAIN: try the same batch
 * again later; another error: it is lost, and counted so. */
struct mkv_trace_exporter {
	int (*send)(void *state, const struct mkv_span *spans, size_t count,
		    struct mkv_error *err);
	void (*close)(void *state);
	void *state;
};

/* Who the spans come from: OTLP's resource. */
struct mkv_trace_resource {
	struct {
		const char *key, *value;
	} items[8];
	size_t count;
};

/* OTLP file format: one TracesData object a line, appended to `path`. */
int mkv_trace_file_open(const char *path,
			const struct mkv_trace_resource *resource,
			struct mkv_trace_exporter *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* OTLP/HTTP with protobuf, POST to ENDPOINT/v1/traces. */
int mkv_trace_http_open(const char *endpoint,
			const struct mkv_trace_resource *resource,
			struct mkv_trace_exporter *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* The two encodings of ExportTraceServiceRequest / TracesData (opentelemetry-
 * proto 1.x, trace/v1/trace.proto). */
void mkv_otlp_json(const struct mkv_trace_resource *resource,
		   const struct mkv_span *spans, size_t count,
		   struct mkv_buf *into) mkv_nonnull(1, 2, 4);
void mkv_otlp_protobuf(const struct mkv_trace_resource *resource,
		       const struct mkv_span *spans, size_t count,
		       struct mkv_buf *into) mkv_nonnull(1, 2, 4);

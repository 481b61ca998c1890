/* SPDX-License-Identifier: MIT */
#pragma once
/* The bounded queue between requests and the exporter. */

#include "programs/study/lib/trace.h"

enum { MKV_TRACE_QUEUE = 32768, MKV_TRACE_BATCH = 512 };

/* Copies the span in, or counts a drop. */
void mkv_trace_put(const struct mkv_span *span) mkv_nonnull(1);

/* What became of a batch, beside send()'s return. */
struct mkv_trace_outcome {
	unsigned wait_ms; /* not before; 0: as the sender likes */
	uint64_t refused; /* spans of a batch that was taken otherwise */
};

/* One way out. Takes a batch of at least one span; -EAGAIN: try the same batch
 * again later; another error: it is lost, and counted so. */
struct mkv_trace_exporter {
	int (*send)(void *state, const struct mkv_span *spans, size_t count,
		    struct mkv_trace_outcome *ret, struct mkv_error *err);
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

/* Of TRACE_SPARE. */
extern int64_t mkv_trace_spare_bytes;

/* OTLP file format: one TracesData object a line, appended to `path`. A line
 * that isn't whole is taken off first, unless another program writes the file
 * as well. `spare_bytes` stay free on its disk. */
int mkv_trace_file_open(const char *path, uint64_t spare_bytes,
			const struct mkv_trace_resource *resource,
			struct mkv_trace_exporter *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);
/* OTLP/HTTP with protobuf, POST to ENDPOINT/v1/traces. */
int mkv_trace_http_open(const char *endpoint,
			const struct mkv_trace_resource *resource,
			struct mkv_trace_exporter *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Span.flags: W3C's below, bit 8 always, bit 9 for a parent in another process.
 */
unsigned mkv_otlp_flags(const struct mkv_span *span) mkv_nonnull(1);
/* The two encodings of ExportTraceServiceRequest / TracesData (opentelemetry-
 * proto 1.x, trace/v1/trace.proto). Texts are UTF-8. */
void mkv_otlp_json(const struct mkv_trace_resource *resource,
		   const struct mkv_span *spans, size_t count,
		   struct mkv_buf *into) mkv_nonnull(1, 2, 4);
void mkv_otlp_protobuf(const struct mkv_trace_resource *resource,
		       const struct mkv_span *spans, size_t count,
		       struct mkv_buf *into) mkv_nonnull(1, 2, 4);

/* ExportTraceServiceResponse.partial_success.rejected_spans; 0 for anything
 * that isn't such a response. */
uint64_t mkv_otlp_rejected(const void *data, size_t size) mkv_nonnull(1);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The bounded queue between requests and the exporter. */

#include "programs/lib/trace.h"

enum { MKV_TRACE_QUEUE = 32768, MKV_TRACE_BATCH = 512 };

/* Copies the span into the queue; counts it as dropped when the queue is full.
 */
void mkv_trace_put(const struct mkv_span *span) mkv_nonnull(1);

/* Further results of send(). */
struct mkv_trace_outcome {
	unsigned
		wait_ms; /* requested pause before a retry; 0: none requested */
	uint64_t refused; /* number of spans refused from an accepted batch */
};

/* A destination. send() receives a batch of at least one span. -EAGAIN: the
 * batch is sent again later; any other error: the batch is dropped and counted.
 */
struct mkv_trace_exporter {
	int (*send)(void *state, const struct mkv_span *spans, size_t count,
		    struct mkv_trace_outcome *ret, struct mkv_error *err);
	void (*close)(void *state);
	void *state;
};

/* OTLP's Resource: attributes of the producer of the spans. */
struct mkv_trace_resource {
	struct {
		const char *key, *value;
	} items[8];
	size_t count;
};

/* Value of TRACE_SPARE. */
extern int64_t mkv_trace_spare_bytes;

/* OTLP file format: one TracesData object per line, appended to `path`. An
 * incomplete last line is removed first, unless another process also writes the
 * file. `spare_bytes` stay free on the disk. */
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

/* Span.flags: W3C trace flags in bits 0 to 7; bit 8 always set; bit 9: the
 * parent is in another process. */
unsigned mkv_otlp_flags(const struct mkv_span *span) mkv_nonnull(1);
/* The two encodings of ExportTraceServiceRequest / TracesData (opentelemetry-
 * proto 1.x, trace/v1/trace.proto). Texts are UTF-8. */
void mkv_otlp_json(const struct mkv_trace_resource *resource,
		   const struct mkv_span *spans, size_t count,
		   struct mkv_buf *into) mkv_nonnull(1, 2, 4);
void mkv_otlp_protobuf(const struct mkv_trace_resource *resource,
		       const struct mkv_span *spans, size_t count,
		       struct mkv_buf *into) mkv_nonnull(1, 2, 4);

/* ExportTraceServiceResponse.partial_success.rejected_spans; 0 for
 * anything else. */
uint64_t mkv_otlp_rejected(const void *data, size_t size) mkv_nonnull(1);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Trace requests of OTLP (opentelemetry-proto 1.x: collector/trace/v1,
 * trace/v1, common/v1, resource/v1): the definitions of their messages, and
 * readers of the binary encoding. Unknown fields are skipped, as OTLP requires.
 * Input may be hostile. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

enum mkv_otlp_kind {
	MKV_OTLP_TEXT,
	MKV_OTLP_BYTES,
	MKV_OTLP_TRACE_ID,
	MKV_OTLP_SPAN_ID,
	MKV_OTLP_UINT32, /* and enumerations */
	MKV_OTLP_BOOL,
	MKV_OTLP_INT64,
	MKV_OTLP_FIXED32,
	MKV_OTLP_FIXED64,
	MKV_OTLP_DOUBLE,
	MKV_OTLP_MESSAGE,
};

struct mkv_otlp_field {
	unsigned number;
	const char *name; /* in JSON */
	enum mkv_otlp_kind kind;
	const struct mkv_otlp_message *message;
	bool repeated; /* for messages only */
	bool required; /* for the ids of a span only */
};

struct mkv_otlp_message {
	const struct mkv_otlp_field *fields; /* ends with number 0 */
	bool is_span;
	bool is_oneof; /* only the last field counts */
	bool is_resource;
};

extern const struct mkv_otlp_message mkv_otlp_request;

/* Whether an id has `id_size` bytes. A required id (of a span) must not be
 * empty or all zero; a parent id may be empty. */
bool mkv_otlp_is_id(const void *bytes, size_t size, size_t id_size,
		    bool required);
/* Records "WHERE: WHAT" and returns -EINVAL. */
int mkv_otlp_bad(struct mkv_error *err, const char *what, const char *where)
	mkv_nonnull(1, 2, 3);

/* Checks every field of the definitions of an ExportTraceServiceRequest: types,
 * UTF-8, lengths of ids, and that a span has both ids. 0 and the number of
 * spans, or -EINVAL. */
int mkv_otlp_check_protobuf(const void *data, size_t size, uint64_t *ret_spans,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* Appends a request in OTLP/JSON (OTLP specification, "JSON Protobuf
 * Encoding"), one line without its newline. `attributes`, JSON objects
 * separated by commas, are added to those of each resource; NULL: none. A
 * request that the function above refuses, or that has a message field twice
 * that can't be repeated, is -EINVAL. */
int mkv_otlp_print_json(const void *data, size_t size, const char *attributes,
			struct mkv_buf *into,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

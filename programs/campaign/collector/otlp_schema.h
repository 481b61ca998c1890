/* SPDX-License-Identifier: MIT */
#pragma once
/* Definitions of the messages of a trace request (opentelemetry-proto 1.x). */

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

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
};

extern const struct mkv_otlp_message mkv_otlp_request;

/* Whether an id has `id_size` bytes. A required id (of a span) must not be
 * empty or all zero; a parent id may be empty. */
bool mkv_otlp_is_id(const void *bytes, size_t size, size_t id_size,
		    bool required);
/* Records "WHERE: WHAT" and returns -EINVAL. */
int mkv_otlp_bad(struct mkv_error *err, const char *what, const char *where)
	mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#include "lib/otlp.h"

#include <stdint.h>
#include <string.h>

#define FIELDS(...) ((const struct mkv_otlp_field[]){__VA_ARGS__, {0}})
#define ONE(message) MKV_OTLP_MESSAGE, &(message), false, false
#define MANY(message) MKV_OTLP_MESSAGE, &(message), true, false
#define VALUE(kind) MKV_OTLP_##kind, NULL, false, false
#define NEEDED(kind) MKV_OTLP_##kind, NULL, false, true

/* common.proto; a value may contain values. */
static const struct mkv_otlp_message any_value, key_value;

static const struct mkv_otlp_message array_value = {
	FIELDS({1, "values", MANY(any_value)}), false, false, false};
static const struct mkv_otlp_message key_value_list = {
	FIELDS({1, "values", MANY(key_value)}), false, false, false};
static const struct mkv_otlp_message any_value = {
	FIELDS({1, "stringValue", VALUE(TEXT)}, {2, "boolValue", VALUE(BOOL)},
	       {3, "intValue", VALUE(INT64)}, {4, "doubleValue", VALUE(DOUBLE)},
	       {5, "arrayValue", ONE(array_value)},
	       {6, "kvlistValue", ONE(key_value_list)},
	       {7, "bytesValue", VALUE(BYTES)}),
	false, true, false};
static const struct mkv_otlp_message key_value = {
	FIELDS({1, "key", VALUE(TEXT)}, {2, "value", ONE(any_value)}), false,
	false, false};
static const struct mkv_otlp_message entity_ref = {
	FIELDS({1, "schemaUrl", VALUE(TEXT)}, {2, "type", VALUE(TEXT)}), false,
	false, false};
static const struct mkv_otlp_message scope = {
	FIELDS({1, "name", VALUE(TEXT)}, {2, "version", VALUE(TEXT)},
	       {3, "attributes", MANY(key_value)},
	       {4, "droppedAttributesCount", VALUE(UINT32)}),
	false, false, false};

/* resource.proto */
static const struct mkv_otlp_message resource = {
	FIELDS({1, "attributes", MANY(key_value)},
	       {2, "droppedAttributesCount", VALUE(UINT32)},
	       {3, "entityRefs", MANY(entity_ref)}),
	false, false, true};

/* trace.proto */
static const struct mkv_otlp_message event = {
	FIELDS({1, "timeUnixNano", VALUE(FIXED64)}, {2, "name", VALUE(TEXT)},
	       {3, "attributes", MANY(key_value)},
	       {4, "droppedAttributesCount", VALUE(UINT32)}),
	false, false, false};
static const struct mkv_otlp_message link_ = {
	FIELDS({1, "traceId", VALUE(TRACE_ID)}, {2, "spanId", VALUE(SPAN_ID)},
	       {3, "traceState", VALUE(TEXT)},
	       {4, "attributes", MANY(key_value)},
	       {5, "droppedAttributesCount", VALUE(UINT32)},
	       {6, "flags", VALUE(FIXED32)}),
	false, false, false};
static const struct mkv_otlp_message status = {
	FIELDS({2, "message", VALUE(TEXT)}, {3, "code", VALUE(UINT32)}), false,
	false, false};
static const struct mkv_otlp_message span = {
	FIELDS({1, "traceId", NEEDED(TRACE_ID)}, {2, "spanId", NEEDED(SPAN_ID)},
	       {3, "traceState", VALUE(TEXT)},
	       {4, "parentSpanId", VALUE(SPAN_ID)}, {5, "name", VALUE(TEXT)},
	       {6, "kind", VALUE(UINT32)},
	       {7, "startTimeUnixNano", VALUE(FIXED64)},
	       {8, "endTimeUnixNano", VALUE(FIXED64)},
	       {9, "attributes", MANY(key_value)},
	       {10, "droppedAttributesCount", VALUE(UINT32)},
	       {11, "events", MANY(event)},
	       {12, "droppedEventsCount", VALUE(UINT32)},
	       {13, "links", MANY(link_)},
	       {14, "droppedLinksCount", VALUE(UINT32)},
	       {15, "status", ONE(status)}, {16, "flags", VALUE(FIXED32)}),
	true, false, false};
static const struct mkv_otlp_message scope_spans = {
	FIELDS({1, "scope", ONE(scope)}, {2, "spans", MANY(span)},
	       {3, "schemaUrl", VALUE(TEXT)}),
	false, false, false};
static const struct mkv_otlp_message resource_spans = {
	FIELDS({1, "resource", ONE(resource)},
	       {2, "scopeSpans", MANY(scope_spans)},
	       {3, "schemaUrl", VALUE(TEXT)}),
	false, false, false};
const struct mkv_otlp_message mkv_otlp_request = {
	FIELDS({1, "resourceSpans", MANY(resource_spans)}), false, false,
	false};

bool mkv_otlp_is_id(const void *bytes, size_t size, size_t id_size,
		    bool required)
{
	static const uint8_t zero[16];
	if (size == 0)
		return !required;
	return size == id_size &&
	       !(required && memcmp(bytes, zero, id_size) == 0);
}

int mkv_otlp_bad(struct mkv_error *err, const char *what, const char *where)
{
	return mkv_fail(err, MKV_FAILED, EINVAL, "%s%s%s", where,
			*where ? ": " : "", what);
}

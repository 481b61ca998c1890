/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/protobuf.h"
#include "programs/lib/trace_queue.h"

static void add_tag(struct mkv_buf *into, unsigned field,
		    enum mkv_protobuf_wire wire)
{
	mkv_protobuf_put_varint(into, (uint64_t)field << 3 | wire);
}

static void add_number(struct mkv_buf *into, unsigned field, uint64_t value)
{
	add_tag(into, field, MKV_PROTOBUF_VARINT);
	mkv_protobuf_put_varint(into, value);
}

static void add_fixed(struct mkv_buf *into, unsigned field,
		      enum mkv_protobuf_wire wire, uint64_t value)
{
	unsigned size = wire == MKV_PROTOBUF_FIXED32 ? 4 : 8;
	uint8_t bytes[8];
	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	add_tag(into, field, wire);
	mkv_buf_add(into, bytes, size);
}

static void add_bytes(struct mkv_buf *into, unsigned field, const void *data,
		      size_t size)
{
	add_tag(into, field, MKV_PROTOBUF_BYTES);
	mkv_protobuf_put_varint(into, size);
	mkv_buf_add(into, data, size);
}

static void add_text(struct mkv_buf *into, unsigned field, const char *text)
{
	add_bytes(into, field, text, strlen(text));
}

static void add_message(struct mkv_buf *into, unsigned field,
			struct mkv_buf *message)
{
	into->failed |= message->failed;
	add_bytes(into, field, message->data ? message->data : "",
		  message->size);
}

/* common.v1.KeyValue: key 1, value 2 (AnyValue: string_value 1, int_value 3).
 */
static void add_pair(struct mkv_buf *into, unsigned field, const char *key,
		     const char *text, int64_t number)
{
	auto_buf struct mkv_buf pair = {0}, value = {0};
	if (text)
		add_text(&value, 1, text);
	else
		add_number(&value, 3, (uint64_t)number);
	add_text(&pair, 1, key);
	add_message(&pair, 2, &value);
	add_message(into, field, &pair);
}

/* trace.v1.Span */
static void add_span(struct mkv_buf *into, const struct mkv_span *span)
{
	static const uint8_t none[8];
	auto_buf struct mkv_buf message = {0}, status = {0};
	add_bytes(&message, 1, span->context.trace_id, 16);
	add_bytes(&message, 2, span->context.span_id, 8);
	if (memcmp(span->parent_id, none, 8) != 0)
		add_bytes(&message, 4, span->parent_id, 8);
	add_text(&message, 5, span->name);
	add_number(&message, 6, span->kind);
	add_fixed(&message, 7, MKV_PROTOBUF_FIXED64, (uint64_t)span->start_ns);
	add_fixed(&message, 8, MKV_PROTOBUF_FIXED64,
		  (uint64_t)(span->start_ns + span->duration_ns));
	for (unsigned i = 0; i < span->n_attributes; i++)
		add_pair(&message, 9, span->attributes[i].key,
			 span->attributes[i].is_text ? span->attributes[i].text
						     : NULL,
			 span->attributes[i].number);
	if (span->is_error) {
		add_number(&status, 3, 2); /* STATUS_CODE_ERROR */
		add_message(&message, 15, &status);
	}
	add_fixed(&message, 16, MKV_PROTOBUF_FIXED32, mkv_otlp_flags(span));
	add_message(into, 2, &message);
}

/* TracesData.resource_spans 1; ResourceSpans: resource 1, scope_spans 2;
 * ScopeSpans: scope 1, spans 2; Resource.attributes 1; Scope.name 1. */
void mkv_otlp_protobuf(const struct mkv_trace_resource *resource,
		       const struct mkv_span *spans, size_t count,
		       struct mkv_buf *into)
{
	auto_buf struct mkv_buf about = {0}, scope = {0}, scope_spans = {0};
	auto_buf struct mkv_buf resource_spans = {0};
	for (size_t i = 0; i < resource->count; i++)
		add_pair(&about, 1, resource->items[i].key,
			 resource->items[i].value, 0);
	add_text(&scope, 1, "mkvbench");
	add_message(&scope_spans, 1, &scope);
	for (size_t i = 0; i < count; i++)
		add_span(&scope_spans, &spans[i]);
	add_message(&resource_spans, 1, &about);
	add_message(&resource_spans, 2, &scope_spans);
	add_message(into, 1, &resource_spans);
}

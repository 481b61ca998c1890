/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "programs/lib/trace_queue.h"

static void add_hex(struct mkv_buf *into, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		mkv_buf_printf(into, "%02x", bytes[i]);
}

static void add_text(struct mkv_buf *into, const char *text)
{
	mkv_buf_char(into, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 0x20 || c == 0x7f)
			mkv_buf_printf(into, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			mkv_buf_printf(into, "\\%c", c);
		else
			mkv_buf_char(into, (char)c);
	}
	mkv_buf_char(into, '"');
}

static void add_text_pair(struct mkv_buf *into, const char *key,
			  const char *value)
{
	mkv_buf_str(into, "{\"key\":");
	add_text(into, key);
	mkv_buf_str(into, ",\"value\":{\"stringValue\":");
	add_text(into, value);
	mkv_buf_str(into, "}}");
}

static void add_attributes(struct mkv_buf *into, const struct mkv_span *span)
{
	mkv_buf_str(into, ",\"attributes\":[");
	for (unsigned i = 0; i < span->n_attributes; i++) {
		const struct mkv_span_attribute *a = &span->attributes[i];
		if (i)
			mkv_buf_char(into, ',');
		if (a->is_text) {
			add_text_pair(into, a->key, a->text);
			continue;
		}
		mkv_buf_str(into, "{\"key\":");
		add_text(into, a->key);
		mkv_buf_printf(into,
			       ",\"value\":{\"intValue\":\"%" PRId64 "\"}}",
			       a->number);
	}
	mkv_buf_char(into, ']');
}

static void add_span(struct mkv_buf *into, const struct mkv_span *span)
{
	static const uint8_t none[8];
	mkv_buf_str(into, "{\"traceId\":\"");
	add_hex(into, span->context.trace_id, 16);
	mkv_buf_str(into, "\",\"spanId\":\"");
	add_hex(into, span->context.span_id, 8);
	if (__builtin_memcmp(span->parent_id, none, 8) != 0) {
		mkv_buf_str(into, "\",\"parentSpanId\":\"");
		add_hex(into, span->parent_id, 8);
	}
	mkv_buf_str(into, "\",\"name\":");
	add_text(into, span->name);
	mkv_buf_printf(into,
		       ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64
		       "\",\"endTimeUnixNano\":\"%" PRId64 "\"",
		       (int)span->kind, span->start_ns,
		       span->start_ns + span->duration_ns);
	add_attributes(into, span);
	mkv_buf_printf(into, ",\"status\":{\"code\":%d},\"flags\":%u}",
		       span->is_error ? 2 : 0, mkv_otlp_flags(span));
}

void mkv_otlp_json(const struct mkv_trace_resource *resource,
		   const struct mkv_span *spans, size_t count,
		   struct mkv_buf *into)
{
	mkv_buf_str(into,
		    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
	for (size_t i = 0; i < resource->count; i++) {
		if (i)
			mkv_buf_char(into, ',');
		add_text_pair(into, resource->items[i].key,
			      resource->items[i].value);
	}
	mkv_buf_str(into,
		    "]},\"scopeSpans\":[{\"scope\":{\"name\":\"mkvbench\"},"
		    "\"spans\":[");
	for (size_t i = 0; i < count; i++) {
		if (i)
			mkv_buf_char(into, ',');
		add_span(into, &spans[i]);
	}
	mkv_buf_str(into, "]}]}]}\n");
}

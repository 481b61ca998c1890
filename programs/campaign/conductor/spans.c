/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/spans.h"

#include <string.h>

#include "lib/protobuf.h"

enum { SLOTS_MIN = 1024 };

void mkv_spans_init(struct mkv_spans *spans, size_t limit)
{
	*spans = (struct mkv_spans){.limit = limit};
}

void mkv_spans_done(struct mkv_spans *spans)
{
	mkv_buf_done(&spans->record);
	free(spans->table);
	*spans = (struct mkv_spans){0};
}

/* Distributes ids that a client counted up. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static void put_key(uint64_t *table, size_t slots, uint64_t key, size_t *count)
{
	size_t at = (size_t)key & (slots - 1);
	while (table[at] && table[at] != key)
		at = (at + 1) & (slots - 1);
	*count += !table[at];
	table[at] = key;
}

static int grow_table(struct mkv_spans *spans, struct mkv_error *err)
{
	size_t slots = spans->slots ? spans->slots * 2 : SLOTS_MIN;
	uint64_t *table = calloc(slots, sizeof(*table));
	if (!table)
		return mkv_oom(err);
	spans->count = 0;
	for (size_t i = 0; i < spans->slots; i++)
		if (spans->table[i])
			put_key(table, slots, spans->table[i], &spans->count);
	free(spans->table);
	spans->table = table;
	spans->slots = slots;
	return 0;
}

static int add_span(struct mkv_spans *spans, const uint8_t trace_id[16],
		    const uint8_t span_id[8], struct mkv_error *err)
{
	uint64_t words[3];
	if (spans->count * 2 >= spans->slots) {
		if (spans->count >= spans->limit)
			return mkv_fail(err, MKV_FAILED, ENOSPC,
					"more than %zu spans", spans->limit);
		int rc = grow_table(spans, err);
		if (rc < 0)
			return rc;
	}
	memcpy(words, trace_id, 16);
	memcpy(&words[2], span_id, 8);
	uint64_t key = mix(words[2] ^ mix(words[1] ^ mix(words[0])));
	put_key(spans->table, spans->slots, key ? key : 1, &spans->count);
	return 0;
}

static int fail_stream(struct mkv_error *err)
{
	return mkv_fail(err, MKV_FAILED, EBADMSG,
			"the stored spans are malformed");
}

static int read_span(struct mkv_spans *spans, struct mkv_protobuf_reader reader,
		     struct mkv_error *err)
{
	const uint8_t *trace_id = NULL, *span_id = NULL;
	while (reader.at < reader.end) {
		struct mkv_protobuf_field field;
		if (!mkv_protobuf_next(&reader, &field))
			return fail_stream(err);
		size_t size = (size_t)(field.bytes.end - field.bytes.at);
		if (field.wire != MKV_PROTOBUF_BYTES)
			continue;
		if (field.number == 1 && size == 16)
			trace_id = field.bytes.at;
		if (field.number == 2 && size == 8)
			span_id = field.bytes.at;
	}
	return trace_id && span_id ? add_span(spans, trace_id, span_id, err)
				   : fail_stream(err);
}

/* ExportTraceServiceRequest.resource_spans (1), ResourceSpans.scope_spans (2)
 * and ScopeSpans.spans (2) lead to the spans. */
static int read_level(struct mkv_spans *spans,
		      struct mkv_protobuf_reader reader, unsigned level,
		      struct mkv_error *err)
{
	static const unsigned numbers[] = {1, 2, 2};
	while (reader.at < reader.end) {
		struct mkv_protobuf_field field;
		if (!mkv_protobuf_next(&reader, &field))
			return fail_stream(err);
		if (field.wire != MKV_PROTOBUF_BYTES ||
		    field.number != numbers[level])
			continue;
		int rc = level == 2 ? read_span(spans, field.bytes, err)
				    : read_level(spans, field.bytes, level + 1,
						 err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The size of the first record's prefix and of its message. 0: the prefix is
 * incomplete; -EBADMSG: it is malformed or the message too large. */
static int read_prefix(const struct mkv_buf *record, size_t at,
		       size_t *ret_message, struct mkv_error *err)
{
	uint64_t length = 0;
	for (int i = 0; at + (size_t)i < record->size; i++) {
		uint8_t byte = (uint8_t)record->data[at + (size_t)i];
		if (i == 5)
			return fail_stream(err);
		length |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		if (length == 0 || length > MKV_SPANS_RECORD_MAX)
			return fail_stream(err);
		*ret_message = (size_t)length;
		return i + 1;
	}
	return 0;
}

int mkv_spans_add(struct mkv_spans *spans, const void *data, size_t size,
		  struct mkv_error *err)
{
	struct mkv_buf *record = &spans->record;
	size_t at = 0, message = 0;
	if (size)
		mkv_buf_add(record, data, size);
	int rc = mkv_buf_check(record, err);
	if (rc < 0)
		return rc;
	for (;;) {
		int prefix = read_prefix(record, at, &message, err);
		if (prefix < 0)
			return prefix;
		if (prefix == 0 || record->size - at - (size_t)prefix < message)
			break;
		const uint8_t *begin =
			(const uint8_t *)record->data + at + prefix;
		rc = read_level(
			spans,
			(struct mkv_protobuf_reader){begin, begin + message}, 0,
			err);
		if (rc < 0)
			return rc;
		at += (size_t)prefix + message;
	}
	if (at) {
		memmove(record->data, record->data + at, record->size - at);
		record->size -= at;
	}
	return 0;
}

int mkv_spans_finish(const struct mkv_spans *spans, struct mkv_error *err)
{
	return spans->record.size ? fail_stream(err) : 0;
}

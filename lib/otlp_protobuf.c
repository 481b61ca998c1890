/* SPDX-License-Identifier: MIT */
#include "lib/otlp.h"
#include "lib/protobuf.h"
#include "lib/utf8.h"

enum { DEPTH_MAX = 64, FIELDS_MAX = 32 };

static const enum mkv_protobuf_wire wires[] = {
	[MKV_OTLP_TEXT] = MKV_PROTOBUF_BYTES,
	[MKV_OTLP_BYTES] = MKV_PROTOBUF_BYTES,
	[MKV_OTLP_TRACE_ID] = MKV_PROTOBUF_BYTES,
	[MKV_OTLP_SPAN_ID] = MKV_PROTOBUF_BYTES,
	[MKV_OTLP_UINT32] = MKV_PROTOBUF_VARINT,
	[MKV_OTLP_BOOL] = MKV_PROTOBUF_VARINT,
	[MKV_OTLP_INT64] = MKV_PROTOBUF_VARINT,
	[MKV_OTLP_FIXED32] = MKV_PROTOBUF_FIXED32,
	[MKV_OTLP_FIXED64] = MKV_PROTOBUF_FIXED64,
	[MKV_OTLP_DOUBLE] = MKV_PROTOBUF_FIXED64,
	[MKV_OTLP_MESSAGE] = MKV_PROTOBUF_BYTES,
};

static int check_message(struct mkv_protobuf_reader reader,
			 const struct mkv_otlp_message *message,
			 const char *where, unsigned depth, uint64_t *spans,
			 struct mkv_error *err);

static int check_field(struct mkv_protobuf_reader bytes,
		       const struct mkv_otlp_field *field, unsigned depth,
		       uint64_t *spans, struct mkv_error *err)
{
	size_t size = (size_t)(bytes.end - bytes.at);
	bool good = true;
	switch (field->kind) {
	case MKV_OTLP_TEXT:
		good = size == 0 || mkv_utf8_is_valid(bytes.at, size);
		break;
	case MKV_OTLP_TRACE_ID:
		good = mkv_otlp_is_id(bytes.at, size, 16, field->required);
		break;
	case MKV_OTLP_SPAN_ID:
		good = mkv_otlp_is_id(bytes.at, size, 8, field->required);
		break;
	case MKV_OTLP_MESSAGE:
		return check_message(bytes, field->message, field->name,
				     depth + 1, spans, err);
	default:
		break;
	}
	return good ? 0 : mkv_otlp_bad(err, "invalid value", field->name);
}

/* The index of a field; of the end of the list when the field is unknown. */
static size_t find_field(const struct mkv_otlp_message *message,
			 unsigned number)
{
	size_t i = 0;
	while (message->fields[i].number && message->fields[i].number != number)
		i++;
	return i;
}

static int check_message(struct mkv_protobuf_reader reader,
			 const struct mkv_otlp_message *message,
			 const char *where, unsigned depth, uint64_t *spans,
			 struct mkv_error *err)
{
	bool seen[FIELDS_MAX] = {false};
	if (depth > DEPTH_MAX)
		return mkv_otlp_bad(err, "nested too deeply", where);
	while (reader.at < reader.end) {
		struct mkv_protobuf_field read;
		if (!mkv_protobuf_next(&reader, &read))
			return mkv_otlp_bad(
				err, "truncated or malformed protobuf", where);
		size_t i = find_field(message, read.number);
		const struct mkv_otlp_field *field = &message->fields[i];
		if (!field->number)
			continue;
		if (read.wire != wires[field->kind])
			return mkv_otlp_bad(err, "wrong wire type",
					    field->name);
		int rc = check_field(read.bytes, field, depth, spans, err);
		if (rc < 0)
			return rc;
		seen[i] = true;
	}
	for (size_t i = 0; message->fields[i].number; i++)
		if (message->fields[i].required && !seen[i])
			return mkv_otlp_bad(err, "missing",
					    message->fields[i].name);
	*spans += message->is_span;
	return 0;
}

int mkv_otlp_check_protobuf(const void *data, size_t size, uint64_t *ret_spans,
			    struct mkv_error *err)
{
	struct mkv_protobuf_reader reader = {data,
					     (const uint8_t *)data + size};
	uint64_t spans = 0;
	int rc = check_message(reader, &mkv_otlp_request, "", 0, &spans, err);
	if (rc < 0)
		return rc;
	*ret_spans = spans;
	return 0;
}

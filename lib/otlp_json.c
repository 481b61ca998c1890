/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/bytes.h"
#include "lib/otlp.h"
#include "lib/protobuf.h"

enum { FIELDS_MAX = 32 };

static int print_message(struct mkv_protobuf_reader reader,
			 const struct mkv_otlp_message *message,
			 const char *attributes, struct mkv_buf *into,
			 struct mkv_error *err);

static void print_text(struct mkv_protobuf_reader bytes, struct mkv_buf *into)
{
	mkv_buf_char(into, '"');
	for (; bytes.at < bytes.end; bytes.at++) {
		unsigned char c = *bytes.at;
		if (c < 0x20 || c == 0x7f)
			mkv_buf_printf(into, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			mkv_buf_printf(into, "\\%c", c);
		else
			mkv_buf_char(into, (char)c);
	}
	mkv_buf_char(into, '"');
}

static void print_id(struct mkv_protobuf_reader bytes, struct mkv_buf *into)
{
	mkv_buf_char(into, '"');
	for (; bytes.at < bytes.end; bytes.at++)
		mkv_buf_printf(into, "%02x", *bytes.at);
	mkv_buf_char(into, '"');
}

static void print_double(uint64_t bits, struct mkv_buf *into)
{
	double value;
	char text[40];
	memcpy(&value, &bits, sizeof(value));
	if (value != value)
		mkv_buf_str(into, "\"NaN\"");
	else if (value - value != 0)
		mkv_buf_str(into, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	else {
		(void)snprintf(text, sizeof(text), "%.17g", value);
		mkv_buf_str(into, text);
	}
}

static int print_value(const struct mkv_otlp_field *field,
		       const struct mkv_protobuf_field *read,
		       const char *attributes, struct mkv_buf *into,
		       struct mkv_error *err)
{
	switch (field->kind) {
	case MKV_OTLP_TEXT:
		print_text(read->bytes, into);
		return 0;
	case MKV_OTLP_BYTES:
		mkv_buf_char(into, '"');
		mkv_base64_write(read->bytes.at,
				 (size_t)(read->bytes.end - read->bytes.at),
				 into);
		mkv_buf_char(into, '"');
		return 0;
	case MKV_OTLP_TRACE_ID:
	case MKV_OTLP_SPAN_ID:
		print_id(read->bytes, into);
		return 0;
	case MKV_OTLP_UINT32:
		mkv_buf_printf(into, "%" PRIu32, (uint32_t)read->value);
		return 0;
	case MKV_OTLP_BOOL:
		mkv_buf_str(into, read->value ? "true" : "false");
		return 0;
	case MKV_OTLP_INT64:
		mkv_buf_printf(into, "\"%" PRId64 "\"", (int64_t)read->value);
		return 0;
	case MKV_OTLP_FIXED32:
		mkv_buf_printf(into, "%" PRIu32, mkv_le_get32(read->bytes.at));
		return 0;
	case MKV_OTLP_FIXED64:
		mkv_buf_printf(into, "\"%" PRIu64 "\"",
			       mkv_le_get64(read->bytes.at));
		return 0;
	case MKV_OTLP_DOUBLE:
		print_double(mkv_le_get64(read->bytes.at), into);
		return 0;
	case MKV_OTLP_MESSAGE:
		return print_message(read->bytes, field->message, attributes,
				     into, err);
	}
	return 0;
}

static const struct mkv_otlp_field *
find_field(const struct mkv_otlp_message *message, unsigned number)
{
	const struct mkv_otlp_field *field = message->fields;
	while (field->number && field->number != number)
		field++;
	return field->number ? field : NULL;
}

/* Adds a value to its field's text: of a repeated field to the list, of any
 * other field instead of an earlier value. */
static int add_value(const struct mkv_otlp_message *message,
		     const struct mkv_otlp_field *field,
		     const struct mkv_protobuf_field *read,
		     const char *attributes, struct mkv_buf *texts,
		     struct mkv_error *err)
{
	struct mkv_buf *text = &texts[field - message->fields];
	if (field->repeated) {
		mkv_buf_char(text, text->size ? ',' : '[');
	} else if (text->size && field->kind == MKV_OTLP_MESSAGE) {
		return mkv_otlp_bad(err, "given twice", field->name);
	} else if (text->size || message->is_oneof) {
		for (size_t i = 0; message->fields[i].number; i++)
			if (message->is_oneof || &texts[i] == text)
				mkv_buf_done(&texts[i]);
	}
	return print_value(field, read, attributes, text, err);
}

static int read_fields(struct mkv_protobuf_reader reader,
		       const struct mkv_otlp_message *message,
		       const char *attributes, struct mkv_buf *texts,
		       struct mkv_error *err)
{
	while (reader.at < reader.end) {
		struct mkv_protobuf_field read;
		if (!mkv_protobuf_next(&reader, &read))
			return mkv_otlp_bad(err, "malformed protobuf", "");
		const struct mkv_otlp_field *field =
			find_field(message, read.number);
		int rc = field ? add_value(message, field, &read, attributes,
					   texts, err)
			       : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The request was checked: depth and wire types are as defined. */
static int print_message(struct mkv_protobuf_reader reader,
			 const struct mkv_otlp_message *message,
			 const char *attributes, struct mkv_buf *into,
			 struct mkv_error *err)
{
	struct mkv_buf texts[FIELDS_MAX] = {0};
	bool first = true;
	int rc = read_fields(reader, message, attributes, texts, err);
	if (message->is_resource && attributes) /* its first field */
		mkv_buf_printf(&texts[0], "%c%s", texts[0].size ? ',' : '[',
			       attributes);
	mkv_buf_char(into, '{');
	for (size_t i = 0; message->fields[i].number; i++) {
		const struct mkv_otlp_field *field = &message->fields[i];
		into->failed |= texts[i].failed;
		if (texts[i].size) {
			mkv_buf_printf(into, "%s\"%s\":", first ? "" : ",",
				       field->name);
			mkv_buf_add(into, texts[i].data, texts[i].size);
			if (field->repeated)
				mkv_buf_char(into, ']');
			first = false;
		}
		mkv_buf_done(&texts[i]);
	}
	mkv_buf_char(into, '}');
	return rc;
}

int mkv_otlp_print_json(const void *data, size_t size, const char *attributes,
			struct mkv_buf *into, struct mkv_error *err)
{
	const struct mkv_protobuf_reader reader = {data, (const uint8_t *)data +
								 size};
	uint64_t spans;
	int rc = mkv_otlp_check_protobuf(data, size, &spans, err);
	if (rc < 0)
		return rc;
	rc = print_message(reader, &mkv_otlp_request, attributes, into, err);
	return rc < 0 ? rc : mkv_buf_check(into, err);
}

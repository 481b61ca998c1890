/* SPDX-License-Identifier: MIT */
/* OTLP/JSON (opentelemetry.io, OTLP specification, "JSON Protobuf Encoding"):
 * the JSON mapping of protocol buffers, with ids in hexadecimal and
 * enumerations as numbers. */
#include <stdlib.h>
#include <string.h>

#include "lib/otlp.h"
#include "programs/campaign/collector/otlp.h"

static bool is_hex_id(const json_t *value, size_t id_size, bool required)
{
	uint8_t bytes[16] = {0};
	const char *text = json_string_value(value);
	size_t size = text ? strlen(text) : 0;
	if (!text || size % 2 || size / 2 > sizeof(bytes) ||
	    strspn(text, "0123456789abcdefABCDEF") != size)
		return false;
	for (size_t i = 0; i < size; i++)
		bytes[i / 2] |= text[i] != '0';
	return mkv_otlp_is_id(bytes, size / 2, id_size, required);
}

static bool is_base64(const json_t *value)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		"+/-_";
	const char *text = json_string_value(value);
	if (!text)
		return false;
	size_t size = strspn(text, digits), pad = strspn(text + size, "=");
	return text[size + pad] == '\0' && size % 4 != 1 &&
	       (pad == 0 || (pad <= 2 && (size + pad) % 4 == 0));
}

/* A JSON number, or a text that contains a number. */
static bool is_integer(const json_t *value, bool is_signed, uint64_t max)
{
	if (json_is_integer(value))
		return (is_signed || json_integer_value(value) >= 0) &&
		       (is_signed ||
			(uint64_t)json_integer_value(value) <= max);
	const char *text = json_string_value(value);
	if (!text || !*text)
		return false;
	const char *digits = text + (is_signed && *text == '-');
	if (!*digits || strspn(digits, "0123456789") != strlen(digits))
		return false;
	errno = 0;
	if (is_signed)
		(void)strtoll(text, NULL, 10);
	else if (strtoull(text, NULL, 10) > max)
		return false;
	return errno == 0;
}

static bool is_double(const json_t *value)
{
	const char *text = json_string_value(value);
	char *end;
	if (!text)
		return json_is_number(value);
	if (strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 ||
	    strcmp(text, "-Infinity") == 0)
		return true;
	(void)strtod(text, &end);
	return *text && strspn(text, "0123456789+-.eE") == strlen(text) &&
	       *end == '\0';
}

static int check_object(const json_t *object,
			const struct mkv_otlp_message *message,
			const char *where, uint64_t *spans,
			struct mkv_error *err);

static int check_value(const json_t *value, const struct mkv_otlp_field *field,
		       uint64_t *spans, struct mkv_error *err)
{
	bool good = false;
	switch (field->kind) {
	case MKV_OTLP_TEXT:
		good = json_is_string(value);
		break;
	case MKV_OTLP_BYTES:
		good = is_base64(value);
		break;
	case MKV_OTLP_TRACE_ID:
		good = is_hex_id(value, 16, field->required);
		break;
	case MKV_OTLP_SPAN_ID:
		good = is_hex_id(value, 8, field->required);
		break;
	case MKV_OTLP_UINT32:
	case MKV_OTLP_FIXED32:
		good = is_integer(value, false, UINT32_MAX);
		break;
	case MKV_OTLP_BOOL:
		good = json_is_boolean(value);
		break;
	case MKV_OTLP_INT64:
		good = is_integer(value, true, 0);
		break;
	case MKV_OTLP_FIXED64:
		good = is_integer(value, false, UINT64_MAX);
		break;
	case MKV_OTLP_DOUBLE:
		good = is_double(value);
		break;
	case MKV_OTLP_MESSAGE:
		return check_object(value, field->message, field->name, spans,
				    err);
	}
	return good ? 0 : mkv_otlp_bad(err, "invalid value", field->name);
}

static int check_array(const json_t *array, const struct mkv_otlp_field *field,
		       uint64_t *spans, struct mkv_error *err)
{
	size_t i;
	json_t *item;
	if (!json_is_array(array))
		return mkv_otlp_bad(err, "not an array", field->name);
	json_array_foreach(array, i, item)
	{
		int rc = check_value(item, field, spans, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The JSON parser bounds the recursion. */
static int check_object(const json_t *object,
			const struct mkv_otlp_message *message,
			const char *where, uint64_t *spans,
			struct mkv_error *err)
{
	if (!json_is_object(object))
		return mkv_otlp_bad(err, "not an object", where);
	for (const struct mkv_otlp_field *field = message->fields;
	     field->number; field++) {
		const json_t *value = json_object_get(object, field->name);
		if (!value || json_is_null(value)) {
			if (field->required)
				return mkv_otlp_bad(err, "missing",
						    field->name);
			continue;
		}
		int rc = field->repeated
				 ? check_array(value, field, spans, err)
				 : check_value(value, field, spans, err);
		if (rc < 0)
			return rc;
	}
	*spans += message->is_span;
	return 0;
}

int mkv_otlp_check_json(const json_t *document, uint64_t *ret_spans,
			struct mkv_error *err)
{
	uint64_t spans = 0;
	int rc = check_object(document, &mkv_otlp_request, "", &spans, err);
	if (rc < 0)
		return rc;
	*ret_spans = spans;
	return 0;
}

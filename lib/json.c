/* SPDX-License-Identifier: MIT */
#include "lib/json.h"

#include <stdarg.h>
#include <string.h>

#include "lib/io.h"

/* jansson's own limit of 2048 levels is too deep for recursive readers, so
 * brackets outside of strings are counted first. */
static bool is_too_deep(const char *text, size_t size)
{
	unsigned depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];
		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			if (++depth > MKV_JSON_DEPTH_MAX)
				return true;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

int mkv_json_load(const char *text, size_t size, json_t **ret,
		  struct mkv_error *err)
{
	if (size > MKV_JSON_LIMIT_BYTES)
		return mkv_fail(
			err, MKV_FAILED, EFBIG,
			"JSON of %zu bytes is larger than the limit of %d "
			"bytes",
			size, MKV_JSON_LIMIT_BYTES);
	if (is_too_deep(text, size))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"JSON is nested deeper than %d levels",
				MKV_JSON_DEPTH_MAX);
	json_error_t why;
	json_t *json = json_loadb(size ? text : "", size,
				  JSON_REJECT_DUPLICATES, &why);
	if (!json)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"JSON, line %d, column %d: %s", why.line,
				why.column, why.text);
	*ret = json;
	return 0;
}

int mkv_json_load_file(int dirfd, const char *path, size_t limit_bytes,
		       json_t **ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(dirfd, path, limit_bytes, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_json_load(text.data, text.size, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path) : 0;
}

static int append(const char *data, size_t size, void *into)
{
	mkv_buf_add(into, data, size);
	return 0;
}

int mkv_json_dump(const json_t *json, struct mkv_buf *into,
		  struct mkv_error *err)
{
	if (json_dump_callback(json, append, into,
			       JSON_SORT_KEYS | JSON_INDENT(1) |
				       JSON_ENCODE_ANY) < 0)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"jansson cannot encode the document");
	mkv_buf_char(into, '\n');
	return mkv_buf_check(into, err);
}

int mkv_json_dump_compact(const json_t *json, struct mkv_buf *into,
			  struct mkv_error *err)
{
	if (json_dump_callback(json, append, into,
			       JSON_SORT_KEYS | JSON_COMPACT |
				       JSON_ENCODE_ANY) < 0)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"jansson cannot encode the document");
	return mkv_buf_check(into, err);
}

void mkv_json_reader_init(struct mkv_json_reader *reader, struct mkv_error *err)
{
	*reader = (struct mkv_json_reader){.err = err};
}

size_t mkv_json_enter(struct mkv_json_reader *reader, const char *where)
{
	size_t mark = reader->path_size;
	int used = snprintf(reader->path + mark, sizeof(reader->path) - mark,
			    "%s%.80s", mark ? "." : "", where);
	size_t size = mark + (used > 0 ? (size_t)used : 0);
	reader->path_size =
		size < sizeof(reader->path) ? size : sizeof(reader->path) - 1;
	return mark;
}

void mkv_json_leave(struct mkv_json_reader *reader, size_t mark)
{
	reader->path_size = mark;
	reader->path[mark] = '\0';
}

int mkv_json_mistake(struct mkv_json_reader *reader, const char *key,
		     const char *format, ...)
{
	if (reader->rc < 0)
		return reader->rc;
	char why[512];
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	reader->rc = mkv_fail(reader->err, MKV_FAILED, EINVAL, "%s%s%.80s: %s",
			      reader->path, key && reader->path_size ? "." : "",
			      key ? key : "", why);
	return reader->rc;
}

void mkv_json_only(struct mkv_json_reader *reader, const json_t *object,
		   const char *const *known)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)object, key, value)
	{
		size_t i = 0;
		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i])
			mkv_json_mistake(reader, key, "unknown member");
	}
}

static const char *type_name(json_type type)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",  [JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a real",	     [JSON_TRUE] = "a boolean",
		[JSON_FALSE] = "a boolean",  [JSON_NULL] = "null",
	};
	return names[type];
}

json_t *mkv_json_member(struct mkv_json_reader *reader, const json_t *object,
			const char *key, json_type type, bool required)
{
	if (reader->rc < 0)
		return NULL;
	json_t *value = json_object_get(object, key);
	if (!value) {
		if (required)
			mkv_json_mistake(reader, key, "missing");
		return NULL;
	}
	json_type have = json_typeof(value);
	if (have == JSON_FALSE)
		have = JSON_TRUE;
	if (have != type) {
		mkv_json_mistake(reader, key, "must be %s, is %s",
				 type_name(type), type_name(have));
		return NULL;
	}
	return value;
}

const char *mkv_json_value_text(struct mkv_json_reader *reader,
				const json_t *value)
{
	if (reader->rc < 0)
		return NULL;
	if (!json_is_string(value)) {
		mkv_json_mistake(reader, NULL, "must be a string");
		return NULL;
	}
	const char *text = json_string_value(value);
	if (json_string_length(value) > 65535) {
		mkv_json_mistake(reader, NULL, "longer than 65535 bytes");
		return NULL;
	}
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			mkv_json_mistake(reader, NULL,
					 "contains a control character");
			return NULL;
		}
	return text;
}

const char *mkv_json_string(struct mkv_json_reader *reader,
			    const json_t *object, const char *key,
			    bool required)
{
	json_t *value =
		mkv_json_member(reader, object, key, JSON_STRING, required);
	if (!value)
		return NULL;
	size_t mark = mkv_json_enter(reader, key);
	const char *text = mkv_json_value_text(reader, value);
	mkv_json_leave(reader, mark);
	return text;
}

int64_t mkv_json_integer(struct mkv_json_reader *reader, const json_t *object,
			 const char *key, int64_t min, int64_t max,
			 bool required, int64_t absent)
{
	json_t *value =
		mkv_json_member(reader, object, key, JSON_INTEGER, required);
	if (!value)
		return absent;
	int64_t number = json_integer_value(value);
	if (number < min || number > max) {
		mkv_json_mistake(
			reader, key, "must be between %lld and %lld, is %lld",
			(long long)min, (long long)max, (long long)number);
		return absent;
	}
	return number;
}

int mkv_json_boolean(struct mkv_json_reader *reader, const json_t *object,
		     const char *key)
{
	json_t *value = mkv_json_member(reader, object, key, JSON_TRUE, false);
	return value ? json_is_true(value) : -1;
}

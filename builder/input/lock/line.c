/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/line.h"

#include <stdarg.h>
#include <string.h>

int mkv_line_bad(const struct mkv_lock_line *line, size_t field,
		 struct mkv_error *err, const char *format, ...)
{
	char message[512];
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	size_t column = field < line->count
				? (size_t)(line->fields[field] - line->text)
				: 0;
	return mkv_fail(err, MKV_BAD_RECIPE, EINVAL, "%s:%u:%zu: %s",
			line->path, line->number, column + 1, message);
}

int mkv_line_number(const struct mkv_lock_line *line, size_t field,
		    uint64_t max, uint64_t *ret, struct mkv_error *err)
{
	const char *text = line->fields[field];
	uint64_t value = 0;
	size_t length = strlen(text);
	if (length == 0 || length > 18 || strspn(text, "0123456789") != length)
		return mkv_line_bad(line, field, err, "'%.40s' is not a number",
				    text);
	for (const char *at = text; *at; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (value == 0 || value > max)
		return mkv_line_bad(line, field, err, "%s is not in 1..%llu",
				    text, (unsigned long long)max);
	*ret = value;
	return 0;
}

int mkv_line_sha256(const struct mkv_lock_line *line, size_t field,
		    struct mkv_sha256 *ret, struct mkv_error *err)
{
	if (strlen(line->fields[field]) != 64 ||
	    mkv_sha256_parse(line->fields[field], ret) < 0)
		return mkv_line_bad(line, field, err,
				    "'%.70s' is not a SHA-256 of 64 lower-case "
				    "hexadecimal digits",
				    line->fields[field]);
	return 0;
}

int mkv_line_text(const struct mkv_lock_line *line, size_t field,
		  bool (*is_valid)(const char *), const char *what, char **ret,
		  struct mkv_error *err)
{
	if (!is_valid(line->fields[field]))
		return mkv_line_bad(line, field, err, "'%.80s' is not %s",
				    line->fields[field], what);
	*ret = strdup(line->fields[field]);
	return *ret ? 0 : mkv_oom(err);
}

int mkv_line_split(struct mkv_lock_line *line, size_t length,
		   struct mkv_error *err)
{
	line->count = 0;
	line->fields[line->count++] = line->text;
	for (size_t i = 0; i < length; i++) {
		char c = line->text[i];
		if (c < ' ' || c > '~')
			return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
					"%s:%u:%zu: invalid byte 0x%02x",
					line->path, line->number, i + 1,
					(unsigned)(unsigned char)c);
		if (c != ' ')
			continue;
		if (line->count == MKV_LOCK_FIELDS_MAX)
			return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
					"%s:%u:%zu: more than %d fields",
					line->path, line->number, i + 2,
					MKV_LOCK_FIELDS_MAX);
		line->text[i] = '\0';
		line->fields[line->count++] = line->text + i + 1;
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/stanza.h"

#include <string.h>

static bool line_equals(const char *line, size_t length, const char *text)
{
	return strlen(text) == length && memcmp(line, text, length) == 0;
}

/* The value after the prefix `name`, "NAME: "; NULL for another field. */
static const char *find_value(const char *line, size_t length, const char *name)
{
	size_t head = strlen(name);
	return length > head && memcmp(line, name, head) == 0 ? line + head
							      : NULL;
}

static uint64_t parse_number(const char *text, const char *end)
{
	uint64_t value = 0;
	if (end - text > 15)
		return 0;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	return value;
}

static void read_line(const char *line, size_t length, struct mkv_stanza *ret)
{
	const char *value;
	switch (line[0]) {
	case 'P':
		value = find_value(line, length, "Package: ");
		if (value) {
			ret->name = value;
			ret->name_length = (size_t)(line + length - value);
		}
		ret->is_required |=
			line_equals(line, length, "Priority: required");
		break;
	case 'E':
		ret->is_essential |=
			line_equals(line, length, "Essential: yes");
		break;
	case 'S':
		value = find_value(line, length, "Size: ");
		if (value)
			ret->size_bytes = parse_number(value, line + length);
		value = find_value(line, length, "SHA256: ");
		if (value && line + length - value == 64) {
			char hex[MKV_SHA256_HEX_SIZE];
			memcpy(hex, value, 64);
			hex[64] = '\0';
			ret->has_sha256 =
				mkv_sha256_parse(hex, &ret->sha256) == 0;
		}
		break;
	}
}

bool mkv_stanza_next(const char **at, const char *end, struct mkv_stanza *ret)
{
	const char *line = *at;
	*ret = (struct mkv_stanza){0};
	while (line < end && *line == '\n')
		line++;
	if (line >= end)
		return false;
	while (line < end && *line != '\n') {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((stop ? stop : end) - line);
		read_line(line, length, ret);
		line += length + (stop != NULL);
	}
	*at = line;
	return true;
}

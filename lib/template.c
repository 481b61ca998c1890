/* SPDX-License-Identifier: MIT */
#include "lib/template.h"

#include <inttypes.h>
#include <string.h>

#define NAME_CHARACTERS                                                        \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

static const struct mkv_template_field *
find_field(const struct mkv_template_fields *fields, const char *name,
	   size_t name_size)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strlen(fields->items[i].name) == name_size &&
		    memcmp(fields->items[i].name, name, name_size) == 0)
			return &fields->items[i];
	return NULL;
}

static bool is_number(const char *name, size_t name_size)
{
	return name_size == 1 && *name == 'n';
}

int mkv_template_add_field(struct mkv_template_fields *fields, const char *name,
			   size_t name_size, uint64_t count,
			   struct mkv_error *err)
{
	if (name_size == 0 || name_size > MKV_TEMPLATE_NAME_MAX ||
	    strspn(name, NAME_CHARACTERS) < name_size)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%.*s' is not a name of 1 to %d letters, "
				"digits, '_' and '-'",
				(int)(name_size < 100 ? name_size : 100), name,
				(int)MKV_TEMPLATE_NAME_MAX);
	if (is_number(name, name_size) || find_field(fields, name, name_size))
		return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
				"the field '%.*s' is defined already",
				(int)name_size, name);
	if (count == 0 || count > INT64_MAX)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"the field '%.*s' has no values",
				(int)name_size, name);
	if (fields->count == MKV_TEMPLATE_FIELDS_MAX)
		return mkv_fail(err, MKV_BAD_USAGE, E2BIG,
				"more than %d fields",
				(int)MKV_TEMPLATE_FIELDS_MAX);
	struct mkv_template_field *field = &fields->items[fields->count++];
	*field = (struct mkv_template_field){.count = count};
	memcpy(field->name, name, name_size);
	return 0;
}

/* A decimal number that a ',' or the end follows. */
static bool read_count(const char *text, size_t size, uint64_t *ret)
{
	*ret = 0;
	if (size == 0 || size > 18)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*ret = *ret * 10 + (uint64_t)(text[i] - '0');
	}
	return true;
}

int mkv_template_parse_fields(const char *text,
			      struct mkv_template_fields *fields,
			      struct mkv_error *err)
{
	while (*text) {
		size_t size = strcspn(text, ","), name = strcspn(text, "=,");
		uint64_t count;
		if (name == size ||
		    !read_count(text + name + 1, size - name - 1, &count))
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"'%.*s' is not NAME=COUNT",
					(int)(size < 100 ? size : 100), text);
		int rc = mkv_template_add_field(fields, text, name, count, err);
		if (rc < 0)
			return rc;
		text += size;
		if (*text && !*++text)
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"a comma ends the list of fields");
	}
	return 0;
}

/* The size of the name between braces that `text` begins with; 0: it does not
 * begin with a field. */
static size_t field_at(const char *text)
{
	if (*text != '{')
		return 0;
	size_t size = strspn(text + 1, NAME_CHARACTERS);
	return text[1 + size] == '}' ? size : 0;
}

struct token {
	const char *text;
	size_t size;
	bool is_field;
};

/* Takes a field, a brace, or the text before the next brace. False: the end. */
static bool take_token(const char **at, struct token *ret)
{
	size_t name = field_at(*at), size = strcspn(*at, "{");
	if (name) {
		*ret = (struct token){*at + 1, name, true};
		*at += name + 2;
	} else if (**at == '{') {
		*ret = (struct token){"{", 1, false};
		*at += (*at)[1] == '{' ? 2 : 1;
	} else {
		*ret = (struct token){*at, size, false};
		*at += size;
	}
	return ret->size > 0;
}

const char *mkv_template_find_unknown(const char *text,
				      const struct mkv_template_fields *fields,
				      size_t *ret_size)
{
	for (struct token token; take_token(&text, &token);) {
		if (!token.is_field || is_number(token.text, token.size) ||
		    find_field(fields, token.text, token.size))
			continue;
		*ret_size = token.size;
		return token.text;
	}
	return NULL;
}

int mkv_template_check(const char *text,
		       const struct mkv_template_fields *fields,
		       struct mkv_error *err)
{
	size_t size;
	const char *name = mkv_template_find_unknown(text, fields, &size);
	if (!name)
		return 0;
	return mkv_fail(err, MKV_BAD_USAGE, ENOENT,
			"unknown field '{%.*s}'; '{{' stands for a brace",
			(int)(size < 100 ? size : 100), name);
}

void mkv_template_print(const char *text,
			const struct mkv_template_fields *fields,
			uint64_t number, struct mkv_buf *into)
{
	for (struct token token; take_token(&text, &token);) {
		const struct mkv_template_field *field =
			token.is_field
				? find_field(fields, token.text, token.size)
				: NULL;
		if (token.is_field)
			mkv_buf_printf(into, "%" PRIu64,
				       field ? number % field->count + 1
					     : number);
		else
			mkv_buf_add(into, token.text, token.size);
	}
}

/* SPDX-License-Identifier: MIT */
#include "lib/contract_internal.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

bool mkv_contract_is_name(const char *name)
{
	size_t length = strlen(name);
	if (length == 0 || length > 128 || name[0] == '.' || name[0] == '-')
		return false;
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("._+:@-", *at))
			return false;
	return true;
}

bool mkv_contract_is_plain_path(const char *path)
{
	if (strlen(path) >= PATH_MAX)
		return false;
	while (*path) {
		size_t length = strcspn(path, "/");
		if (length == 0 || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += length;
		if (*path == '/' && *++path == '\0')
			return false;
	}
	return true;
}

const char *mkv_contract_read_name(struct mkv_json_reader *r,
				   const json_t *object, const char *key,
				   bool required)
{
	const char *name = mkv_json_string(r, object, key, required);
	if (name && !mkv_contract_is_name(name)) {
		mkv_json_mistake(r, key, "not a valid name: '%.80s'", name);
		return NULL;
	}
	return name;
}

const char *mkv_contract_read_word(struct mkv_json_reader *r,
				   const json_t *object, const char *key,
				   const char *const *words)
{
	const char *word = mkv_json_string(r, object, key, true);
	if (!word)
		return NULL;
	for (size_t i = 0; words[i]; i++)
		if (strcmp(word, words[i]) == 0)
			return word;
	mkv_json_mistake(r, key, "unknown value '%.40s'", word);
	return NULL;
}

const char *mkv_contract_read_hex(struct mkv_json_reader *r,
				  const json_t *object, const char *key,
				  bool required, struct mkv_sha256 *ret)
{
	const char *text = mkv_json_string(r, object, key, required);
	struct mkv_sha256 sha;
	if (!text)
		return NULL;
	if (mkv_sha256_parse(text, &sha) < 0) {
		mkv_json_mistake(r, key,
				 "not a SHA-256 in lower-case hexadecimal");
		return NULL;
	}
	if (ret)
		*ret = sha;
	return text;
}

const char *mkv_contract_read_digest(struct mkv_json_reader *r,
				     const json_t *object, const char *key)
{
	const char *text = mkv_json_string(r, object, key, true);
	struct mkv_sha256 sha;
	if (!text)
		return NULL;
	if (strncmp(text, "sha256:", 7) != 0 ||
	    mkv_sha256_parse(text + 7, &sha) < 0) {
		mkv_json_mistake(
			r, key,
			"not 'sha256:' and 64 lower-case hexadecimal digits");
		return NULL;
	}
	return text;
}

unsigned mkv_contract_read_unsigned(struct mkv_json_reader *r,
				    const json_t *object, const char *key,
				    int64_t max, bool required)
{
	return (unsigned)mkv_json_integer(r, object, key, 0, max, required, 0);
}

void *mkv_contract_room(struct mkv_json_reader *r, size_t count, size_t size)
{
	if (r->rc < 0 || count == 0)
		return NULL;
	void *items = calloc(count, size);
	if (!items)
		r->rc = mkv_oom(r->err);
	return items;
}

struct mkv_contract_strings mkv_contract_read_strings(struct mkv_json_reader *r,
						      const json_t *object,
						      const char *key)
{
	struct mkv_contract_strings strings = {0};
	json_t *array = mkv_json_member(r, object, key, JSON_ARRAY, false);
	strings.items =
		mkv_contract_room(r, json_array_size(array), sizeof(char *));
	if (!strings.items)
		return strings;
	size_t mark = mkv_json_enter(r, key);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text =
			mkv_json_value_text(r, json_array_get(array, i));
		if (text)
			strings.items[strings.count++] = text;
	}
	mkv_json_leave(r, mark);
	return strings;
}

struct mkv_contract_numbers mkv_contract_read_numbers(struct mkv_json_reader *r,
						      const json_t *object,
						      const char *key,
						      int64_t max)
{
	struct mkv_contract_numbers numbers = {0};
	json_t *array = mkv_json_member(r, object, key, JSON_ARRAY, false);
	numbers.items = mkv_contract_room(r, json_array_size(array),
					  sizeof(*numbers.items));
	for (size_t i = 0; numbers.items && i < json_array_size(array); i++) {
		const json_t *one = json_array_get(array, i);
		json_int_t value = json_integer_value(one);
		if (!json_is_integer(one) || value < 0 || value > max)
			mkv_json_mistake(
				r, key,
				"an element is not an integer from 0 to %lld",
				(long long)max);
		else
			numbers.items[numbers.count++] = (unsigned)value;
	}
	return numbers;
}

int mkv_contract_by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct mkv_contract_pairs mkv_contract_read_pairs(struct mkv_json_reader *r,
						  const json_t *object,
						  const char *key)
{
	struct mkv_contract_pairs pairs = {0};
	json_t *map = mkv_json_member(r, object, key, JSON_OBJECT, false);
	pairs.items = mkv_contract_room(r, json_object_size(map),
					sizeof(*pairs.items));
	if (!pairs.items)
		return pairs;
	size_t mark = mkv_json_enter(r, key);
	const char *name;
	json_t *value;
	json_object_foreach(map, name, value)
	{
		const char *text = mkv_json_string(r, map, name, true);
		if (text)
			pairs.items[pairs.count++] =
				(struct mkv_contract_pair){name, text};
	}
	mkv_json_leave(r, mark);
	if (pairs.count)
		qsort(pairs.items, pairs.count, sizeof(*pairs.items),
		      mkv_contract_by_key);
	return pairs;
}

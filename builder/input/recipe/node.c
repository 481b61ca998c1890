/* SPDX-License-Identifier: MIT */
#include "builder/input/recipe/node.h"

#include <string.h>

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static bool is_integer(const char *text)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
		const char *digits =
			text[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
		size_t length = strspn(text + 2, digits);
		return length > 0 && text[2 + length] == '\0';
	}
	if (*text == '-' || *text == '+')
		text++;
	size_t length = strspn(text, "0123456789");
	return length > 0 && text[length] == '\0';
}

static bool is_float(const char *text)
{
	static const char *const special[] = {".nan", ".NaN", ".NAN", NULL};
	static const char *const infinite[] = {".inf", ".Inf", ".INF", NULL};
	if (is_one_of(text, special))
		return true;
	if (*text == '-' || *text == '+')
		text++;
	if (is_one_of(text, infinite))
		return true;
	size_t whole = strspn(text, "0123456789"), part = 0;
	text += whole;
	if (*text == '.') {
		part = strspn(text + 1, "0123456789");
		text += 1 + part;
	}
	if (whole + part == 0)
		return false;
	if (*text == 'e' || *text == 'E') {
		text++;
		if (*text == '-' || *text == '+')
			text++;
		size_t power = strspn(text, "0123456789");
		if (power == 0)
			return false;
		text += power;
	}
	return *text == '\0';
}

enum mkv_scalar mkv_node_scalar(const struct mkv_node *node)
{
	static const char *const nulls[] = {"",	    "~",    "null",
					    "Null", "NULL", NULL};
	static const char *const bools[] = {"true",  "True",  "TRUE", "false",
					    "False", "FALSE", NULL};
	if (node->quoted)
		return MKV_SCALAR_TEXT;
	if (is_one_of(node->text, nulls))
		return MKV_SCALAR_NULL;
	if (is_one_of(node->text, bools))
		return MKV_SCALAR_BOOL;
	if (is_integer(node->text))
		return MKV_SCALAR_INTEGER;
	if (is_float(node->text))
		return MKV_SCALAR_FLOAT;
	return MKV_SCALAR_TEXT;
}

bool mkv_node_integer(const struct mkv_node *node, uint64_t *ret)
{
	if (node->kind != MKV_NODE_SCALAR ||
	    mkv_node_scalar(node) != MKV_SCALAR_INTEGER)
		return false;
	const char *text = node->text;
	int base = 10;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
		base = text[1] == 'x' ? 16 : 8;
		text += 2;
	}
	if (*text == '-') /* strtoull() would negate the number */
		return false;
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, base);
	if (errno || *end)
		return false;
	*ret = value;
	return true;
}

const char *mkv_node_describe(struct mkv_arena *arena,
			      const struct mkv_node *node)
{
	static const char *const names[] = {
		[MKV_SCALAR_NULL] = "null",
		[MKV_SCALAR_INTEGER] = "the number",
		[MKV_SCALAR_FLOAT] = "the number",
		[MKV_SCALAR_TEXT] = "the text",
	};
	if (node->kind == MKV_NODE_LIST)
		return "a list";
	if (node->kind == MKV_NODE_MAP)
		return "a mapping";
	enum mkv_scalar scalar = mkv_node_scalar(node);
	const char *text = NULL;
	if (scalar == MKV_SCALAR_NULL)
		return names[scalar];
	if (scalar == MKV_SCALAR_TEXT)
		text = mkv_arena_printf(arena, "the text '%.60s'%s", node->text,
					strlen(node->text) > 60 ? "..." : "");
	else if (scalar == MKV_SCALAR_BOOL)
		text = mkv_arena_printf(arena, "%s", node->text);
	else
		text = mkv_arena_printf(arena, "%s %.40s", names[scalar],
					node->text);
	return text ? text : "";
}

struct mkv_node_entry *mkv_node_find(const struct mkv_node *map,
				     const char *key)
{
	if (map->kind != MKV_NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->entries[i].key, key) == 0)
			return &map->entries[i];
	return NULL;
}

static const struct mkv_node_entry *item_at(const struct mkv_node *list,
					    const char *index)
{
	char *end;
	unsigned long i = strtoul(index, &end, 10);
	return *end || i >= list->count ? NULL : &list->entries[i];
}

const struct mkv_node *mkv_node_at(const struct mkv_node *map, const char *path)
{
	char key[64];
	while (map && *path) {
		size_t length = strcspn(path, ".");
		if (length >= sizeof(key))
			return NULL;
		memcpy(key, path, length);
		key[length] = '\0';
		path += length + (path[length] == '.');
		const struct mkv_node_entry *entry = mkv_node_find(map, key);
		if (map->kind == MKV_NODE_LIST)
			entry = item_at(map, key);
		map = entry ? entry->value : NULL;
	}
	return map;
}

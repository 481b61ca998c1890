/* SPDX-License-Identifier: MIT */
/* The digest of a recipe: SHA-256 of its values as compact JSON with sorted
 * keys, including defaults, with sizes in bytes and durations in nanoseconds.
 * It does not depend on comments, the order of keys, includes or paths. Omitted
 * values without a default and empty lists are left out, so that a key added to
 * the schema does not change the digests of recipes that do not use it. */

#include <string.h>

#include "builder/input/recipe/document.h"
#include "builder/input/recipe/load.h"
#include "builder/input/recipe/schema.h"
#include "lib/hash.h"

static json_t *rows_of(const struct mkv_recipe *recipe,
		       const struct mkv_table *table, const void *base);
static json_t *row_of(const struct mkv_recipe *recipe,
		      const struct mkv_row *row, const void *base);

static json_t *text_of(const char *text)
{
	return text ? json_string(text) : json_null();
}

static bool is_empty(const json_t *value)
{
	return json_is_null(value) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

static json_t *list_of(const struct mkv_strings *list)
{
	json_t *to = json_array();
	for (size_t i = 0; i < list->count; i++)
		to = mkv_document_add(to, json_string(list->items[i]));
	return to;
}

static json_t *items_of(const struct mkv_recipe *recipe,
			const struct mkv_row *row, const struct mkv_items *list)
{
	const struct mkv_table *table = row->table;
	bool map = row->kind == MKV_ROW_MAP;
	json_t *to = map ? json_object() : json_array();
	for (size_t i = 0; i < list->count; i++) {
		const char *item = (const char *)list->items + i * table->size;
		const char *name = NULL;
		json_t *value = *table->rows->key
					? rows_of(recipe, table, item)
					: row_of(recipe, table->rows, item);
		if (map)
			memcpy(&name, item + table->key_offset, sizeof(name));
		to = map ? mkv_document_with(to, name, value)
			 : mkv_document_add(to, value);
	}
	return to;
}

static json_t *row_of(const struct mkv_recipe *recipe,
		      const struct mkv_row *row, const void *base)
{
	const void *member = (const char *)base + row->offset;
	if (row->present && !*((const bool *)base + row->present))
		return json_null();
	switch (row->kind) {
	case MKV_ROW_TEXT:
	case MKV_ROW_ANY:
		return text_of(*(char *const *)member);
	case MKV_ROW_CHOICE:
		return text_of(row->words[*(const unsigned *)member]);
	case MKV_ROW_REF:
		return text_of(recipe->images[*(const size_t *)member].name);
	case MKV_ROW_BOOL:
		return json_boolean(*(const bool *)member);
	case MKV_ROW_COUNT:
		return json_integer(*(const unsigned *)member);
	case MKV_ROW_SIZE:
	case MKV_ROW_DURATION:
	case MKV_ROW_FRACTION: /* the schema limits them to 63 bits */
		if (!row->default_value && *(const int64_t *)member == 0)
			return json_null();
		return json_integer(*(const int64_t *)member);
	case MKV_ROW_LIST:
		return list_of(member);
	case MKV_ROW_OBJECT:
		return rows_of(recipe, row->table, base);
	case MKV_ROW_OBJECTS:
	case MKV_ROW_MAP:
		return items_of(recipe, row, member);
	}
	return NULL;
}

static json_t *rows_of(const struct mkv_recipe *recipe,
		       const struct mkv_table *table, const void *base)
{
	json_t *to = json_object();
	for (const struct mkv_row *row = table->rows; row->kind; row++) {
		if (row->no_member)
			continue;
		json_t *value = row_of(recipe, row, base);
		if (is_empty(value))
			json_decref(value);
		else
			to = mkv_document_with(to, row->key, value);
	}
	return to;
}

int mkv_canonical_digest(struct mkv_recipe *recipe, struct mkv_error *err)
{
	auto_buf struct mkv_buf buf = {0};
	auto_json json_t *values = rows_of(recipe, &mkv_schema_recipe, recipe);
	if (!values)
		return mkv_oom(err);
	int rc = mkv_json_dump_compact(values, &buf, err);
	if (rc < 0)
		return rc;
	struct mkv_sha256 sha;
	rc = mkv_sha256_bytes(buf.data, buf.size, &sha, err);
	if (rc < 0)
		return rc;
	recipe->sha256 = malloc(MKV_SHA256_HEX_SIZE);
	recipe->canonical = mkv_buf_take(&buf);
	if (!recipe->sha256 || !recipe->canonical)
		return mkv_oom(err);
	mkv_sha256_hex(&sha, recipe->sha256);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The recipe's digest: SHA-256 of its values as compact JSON with sorted keys,
 * defaults filled in, sizes in bytes, durations in nanoseconds. Comments, the
 * order of keys, includes and paths leave no trace. */

#include <string.h>

#include "builder/recipe/json.h"
#include "builder/recipe/load.h"
#include "builder/recipe/schema.h"
#include "lib/hash.h"

enum { ROWS_MAX = 64 };

struct writer {
	struct mkv_json json;
	const struct mkv_recipe *recipe;
};

static void write_rows(struct writer *w, const struct mkv_table *table,
		       const void *base);

static void write_text(struct writer *w, const char *key, const char *text)
{
	if (text)
		mkv_json_text(&w->json, key, text);
	else
		mkv_json_null(&w->json, key);
}

static void write_list(struct writer *w, const char *key,
		       const struct mkv_strings *list)
{
	mkv_json_open(&w->json, key, '[');
	for (size_t i = 0; i < list->count; i++)
		mkv_json_text(&w->json, NULL, list->items[i]);
	mkv_json_close(&w->json, ']');
}

static void write_row(struct writer *w, const struct mkv_row *row,
		      const char *key, const void *base);

static void write_items(struct writer *w, const struct mkv_row *row,
			const char *key, const struct mkv_items *list)
{
	const struct mkv_table *table = row->table;
	bool map = row->kind == MKV_ROW_MAP;
	mkv_json_open(&w->json, key, map ? '{' : '[');
	for (size_t i = 0; i < list->count; i++) {
		const char *item = (const char *)list->items + i * table->size;
		const char *name = NULL;
		if (map)
			memcpy(&name, item + table->key_offset, sizeof(name));
		if (*table->rows->key == '\0') {
			write_row(w, table->rows, name, item);
			continue;
		}
		mkv_json_open(&w->json, name, '{');
		write_rows(w, table, item);
		mkv_json_close(&w->json, '}');
	}
	mkv_json_close(&w->json, map ? '}' : ']');
}

static void write_row(struct writer *w, const struct mkv_row *row,
		      const char *key, const void *base)
{
	const void *member = (const char *)base + row->offset;
	struct mkv_json *json = &w->json;
	if (row->present && !*((const bool *)base + row->present)) {
		mkv_json_null(json, key);
		return;
	}
	switch (row->kind) {
	case MKV_ROW_TEXT:
	case MKV_ROW_ANY:
		write_text(w, key, *(char *const *)member);
		return;
	case MKV_ROW_CHOICE:
		write_text(w, key, row->words[*(const unsigned *)member]);
		return;
	case MKV_ROW_REF:
		write_text(w, key,
			   w->recipe->images[*(const size_t *)member].name);
		return;
	case MKV_ROW_BOOL:
		mkv_json_bool(json, key, *(const bool *)member);
		return;
	case MKV_ROW_COUNT:
		mkv_json_number(json, key, *(const unsigned *)member);
		return;
	case MKV_ROW_SIZE:
	case MKV_ROW_DURATION: /* never negative */
		mkv_json_number(json, key, *(const uint64_t *)member);
		return;
	case MKV_ROW_LIST:
		write_list(w, key, member);
		return;
	case MKV_ROW_OBJECT:
		mkv_json_open(json, key, '{');
		write_rows(w, row->table, base);
		mkv_json_close(json, '}');
		return;
	case MKV_ROW_OBJECTS:
	case MKV_ROW_MAP:
		write_items(w, row, key, member);
		return;
	}
}

static int compare_rows(const void *a, const void *b)
{
	const struct mkv_row *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

static void write_rows(struct writer *w, const struct mkv_table *table,
		       const void *base)
{
	const struct mkv_row *sorted[ROWS_MAX];
	size_t count = 0;
	for (const struct mkv_row *row = table->rows; row->kind; row++)
		if (!row->no_member && count < ROWS_MAX)
			sorted[count++] = row;
	qsort(sorted, count, sizeof(*sorted), compare_rows);
	for (size_t i = 0; i < count; i++)
		write_row(w, sorted[i], sorted[i]->key, base);
}

int mkv_canonical_digest(struct mkv_recipe *recipe, struct mkv_error *err)
{
	auto_buf struct mkv_buf buf = {0};
	struct writer w = {.json = {.to = &buf, .compact = true},
			   .recipe = recipe};
	mkv_json_open(&w.json, NULL, '{');
	write_rows(&w, &mkv_schema_recipe, recipe);
	mkv_json_close(&w.json, '}');
	int rc = mkv_buf_check(&buf, err);
	struct mkv_sha256 sha;
	if (rc == 0)
		rc = mkv_sha256_bytes(buf.data, buf.size, &sha, err);
	if (rc < 0)
		return rc;
	recipe->sha256 = malloc(MKV_SHA256_HEX_SIZE);
	if (!recipe->sha256)
		return mkv_oom(err);
	mkv_sha256_hex(&sha, recipe->sha256);
	return 0;
}

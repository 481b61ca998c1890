/* SPDX-License-Identifier: MIT */
#include "builder/input/recipe/fill.h"

#include <inttypes.h>
#include <string.h>

/* lists and mappings */

static void fill_rows(struct mkv_fill *f, const struct mkv_table *table,
		      const struct mkv_node *node, void *base,
		      const struct mkv_path *path);
static void fill_row(struct mkv_fill *f, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct mkv_path *path);

/* Room for `count` elements; the list's own count grows as they are filled. */
static void *make_items(struct mkv_fill *f, struct mkv_items *items,
			size_t count, size_t size)
{
	items->items = count ? calloc(count, size) : NULL;
	if (count && !items->items)
		f->load->failed = true;
	return items->items;
}

static bool check_least(struct mkv_fill *f, const struct mkv_row *row,
			const struct mkv_node *node,
			const struct mkv_path *path)
{
	if (node->count >= row->min)
		return true;
	mkv_complain(f->load, node->mark,
		     "'%s' must have at least %" PRIu64 " of them",
		     mkv_fill_path(f, path), row->min);
	return false;
}

static void check_repeated(struct mkv_fill *f, const struct mkv_node *list,
			   size_t index, const struct mkv_path *path)
{
	const struct mkv_node *item = list->entries[index].value;
	for (size_t i = 0; i < index; i++) {
		const struct mkv_node *other = list->entries[i].value;
		if (other->kind != MKV_NODE_SCALAR ||
		    strcmp(other->text, item->text) != 0)
			continue;
		mkv_complain(f->load, item->mark, "'%s' has '%.60s' twice",
			     mkv_fill_path(f, path), item->text);
		return;
	}
}

static void fill_list(struct mkv_fill *f, const struct mkv_row *row,
		      const struct mkv_node *node, void *base,
		      const struct mkv_path *path)
{
	struct mkv_strings *list = mkv_fill_at(base, row->offset);
	struct mkv_items made = {0};
	if (node->kind != MKV_NODE_LIST) {
		mkv_fill_wrong(f, node, path, "a list");
		return;
	}
	if (!check_least(f, row, node, path) ||
	    !make_items(f, &made, node->count, sizeof(*list->items)))
		return;
	list->items = made.items;
	for (size_t i = 0; i < node->count; i++) {
		unsigned word;
		char index[24];
		(void)snprintf(index, sizeof(index), "[%zu]", i);
		struct mkv_path here = {path, index};
		const struct mkv_node *item = node->entries[i].value;
		if (!mkv_fill_check_text(f, row, item, &here, &word))
			continue;
		if (!row->repeats)
			check_repeated(f, node, i, path);
		mkv_fill_keep(f, &list->items[list->count++], item->text);
	}
}

static void fill_objects(struct mkv_fill *f, const struct mkv_row *row,
			 const struct mkv_node *node, void *base,
			 const struct mkv_path *path)
{
	struct mkv_items *list = mkv_fill_at(base, row->offset);
	if (node->kind != MKV_NODE_LIST) {
		mkv_fill_wrong(f, node, path, "a list of mappings");
		return;
	}
	if (!check_least(f, row, node, path) ||
	    !make_items(f, list, node->count, row->table->size))
		return;
	for (size_t i = 0; i < node->count; i++) {
		char index[24];
		(void)snprintf(index, sizeof(index), "[%zu]", i);
		struct mkv_path here = {path, index};
		void *item = mkv_fill_at(list->items, i * row->table->size);
		list->count = i + 1;
		fill_rows(f, row->table, node->entries[i].value, item, &here);
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct mkv_node_entry *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

static void fill_map(struct mkv_fill *f, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct mkv_path *path)
{
	const struct mkv_table *table = row->table;
	struct mkv_items *list = mkv_fill_at(base, row->offset);
	if (node->kind != MKV_NODE_MAP) {
		mkv_fill_wrong(f, node, path, "a mapping");
		return;
	}
	const struct mkv_node_entry **sorted = mkv_arena_take(
		&f->load->arena, node->count * sizeof(struct mkv_node_entry *));
	if (!check_least(f, row, node, path) || !sorted ||
	    !make_items(f, list, node->count, table->size))
		return;
	for (size_t i = 0; i < node->count; i++)
		sorted[i] = &node->entries[i];
	qsort(sorted, node->count, sizeof(struct mkv_node_entry *),
	      compare_entries);
	for (size_t i = 0; i < node->count; i++) {
		const struct mkv_node_entry *entry = sorted[i];
		struct mkv_path here = {path, entry->key};
		void *item = mkv_fill_at(list->items, i * table->size);
		list->count = i + 1;
		if (mkv_fill_check_shape(f, entry->mark, entry->key,
					 table->key_shape, &here) &&
		    table->key_names)
			(void)mkv_fill_check_reference(
				f, entry->mark, entry->key, table->key_names,
				NULL, &here);
		mkv_fill_keep(f, mkv_fill_at(item, table->key_offset),
			      entry->key);
		if (*table->rows->key == '\0')
			fill_row(f, table->rows, entry->value, item, &here);
		else
			fill_rows(f, table, entry->value, item, &here);
	}
}

/* rows */

static const char *unknown_hint(struct mkv_fill *f,
				const struct mkv_table *table, const char *key)
{
	const char *keys[64];
	size_t count = 0;
	for (const struct mkv_row *r = table->rows; r->kind && count < 64; r++)
		keys[count++] = r->key;
	const char *text =
		mkv_arena_printf(&f->load->arena, "%s; allowed: %s",
				 mkv_fill_suggest(f, key, keys, count),
				 mkv_fill_join(f, keys, count));
	return text ? text : "";
}

static void complain_unknown(struct mkv_fill *f, const struct mkv_table *table,
			     const struct mkv_node *node,
			     const struct mkv_path *path)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct mkv_node_entry *entry = &node->entries[i];
		const struct mkv_row *row = table->rows;
		while (row->kind && strcmp(row->key, entry->key) != 0)
			row++;
		if (row->kind)
			continue;
		mkv_complain(
			f->load, entry->mark, "unknown key '%.60s'%s%s%s%s",
			entry->key, path ? " in '" : "", mkv_fill_path(f, path),
			path ? "'" : "", unknown_hint(f, table, entry->key));
	}
}

/* A default, said as a recipe would say it. */
static void fill_fallback(struct mkv_fill *f, const struct mkv_row *row,
			  void *base, const struct mkv_path *path)
{
	struct mkv_node node = {.kind = MKV_NODE_SCALAR, .text = row->fallback};
	struct mkv_node items[8] = {0};
	struct mkv_node_entry entries[8] = {0};
	if (row->kind == MKV_ROW_LIST) {
		const char *word = row->fallback;
		node.kind = MKV_NODE_LIST;
		node.entries = entries;
		for (; *word && node.count < 8; node.count++) {
			size_t length = strcspn(word, " ");
			items[node.count].text =
				mkv_arena_text(&f->load->arena, word, length);
			if (!items[node.count].text)
				return;
			entries[node.count].value = &items[node.count];
			word += length + (word[length] == ' ');
		}
	}
	fill_row(f, row, &node, base, path);
}

static void fill_absent(struct mkv_fill *f, const struct mkv_row *row,
			struct mkv_mark mark, void *base,
			const struct mkv_path *path)
{
	static const struct mkv_node empty = {.kind = MKV_NODE_MAP};
	if (row->required && !f->load->partial)
		mkv_complain(f->load, mark, "'%s' is missing: %s",
			     mkv_fill_path(f, path), row->doc);
	else if (row->fallback)
		fill_fallback(f, row, base, path);
	else if (row->implied)
		fill_rows(f, row->table, &empty, base, path);
}

static void fill_row(struct mkv_fill *f, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct mkv_path *path)
{
	if (row->present)
		*(bool *)mkv_fill_at(base, row->present) = true;
	switch (row->kind) {
	case MKV_ROW_TEXT:
	case MKV_ROW_CHOICE:
		mkv_fill_text(f, row, node, base, path);
		return;
	case MKV_ROW_ANY:
		mkv_fill_any(f, row, node, base, path);
		return;
	case MKV_ROW_REF:
		mkv_fill_ref(f, row, node, base, path);
		return;
	case MKV_ROW_BOOL:
		mkv_fill_bool(f, row, node, base, path);
		return;
	case MKV_ROW_COUNT:
		mkv_fill_count(f, row, node, base, path);
		return;
	case MKV_ROW_SIZE:
	case MKV_ROW_DURATION:
		mkv_fill_measure(f, row, node, base, path);
		return;
	case MKV_ROW_LIST:
		fill_list(f, row, node, base, path);
		return;
	case MKV_ROW_OBJECT:
		fill_rows(f, row->table, node, base, path);
		return;
	case MKV_ROW_OBJECTS:
		fill_objects(f, row, node, base, path);
		return;
	case MKV_ROW_MAP:
		fill_map(f, row, node, base, path);
		return;
	}
}

static void fill_rows(struct mkv_fill *f, const struct mkv_table *table,
		      const struct mkv_node *node, void *base,
		      const struct mkv_path *path)
{
	if (node->kind != MKV_NODE_MAP) {
		mkv_fill_wrong(f, node, path, "a mapping");
		return;
	}
	complain_unknown(f, table, node, path);
	for (const struct mkv_row *row = table->rows; row->kind; row++) {
		const struct mkv_node_entry *entry =
			mkv_node_find(node, row->key);
		struct mkv_path here = {path, row->key};
		size_t before = f->load->complaints->count;
		if (!entry)
			fill_absent(f, row, node->mark, base, &here);
		else if (entry->value)
			fill_row(f, row, entry->value, base, &here);
		if (!path && f->load->complaints->count > before)
			f->load->broken[f->load->n_broken++] = row->key;
	}
}

void mkv_fill_recipe(struct mkv_recipe_loader *load,
		     const struct mkv_node *root, struct mkv_recipe *ret)
{
	struct mkv_fill f = {load, root};
	load->n_broken = 0;
	fill_rows(&f, &mkv_schema_recipe, root, ret, NULL);
}

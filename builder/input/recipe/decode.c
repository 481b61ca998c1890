/* SPDX-License-Identifier: MIT */
#include "builder/input/recipe/decode.h"

#include <inttypes.h>
#include <string.h>

#include "lib/text.h"

/* lists and mappings */

static void decode_rows(struct mkv_decoder *d, const struct mkv_table *table,
			const struct mkv_node *node, void *base,
			const struct mkv_path *path);
static void decode_row(struct mkv_decoder *d, const struct mkv_row *row,
		       const struct mkv_node *node, void *base,
		       const struct mkv_path *path);

/* Allocates `count` elements. The caller increases items->count as it decodes
 * them. */
static void *allocate_items(struct mkv_decoder *d, struct mkv_items *items,
			    size_t count, size_t size)
{
	items->items = count ? calloc(count, size) : NULL;
	if (count && !items->items)
		d->load->failed = true;
	return items->items;
}

static bool check_min_count(struct mkv_decoder *d, const struct mkv_row *row,
			    const struct mkv_node *node,
			    const struct mkv_path *path)
{
	if (node->count >= row->min)
		return true;
	mkv_diagnose(d->load, node->mark,
		     "'%s' must have at least %" PRIu64 " %s",
		     mkv_decode_path(d, path), row->min,
		     row->min == 1 ? "entry" : "entries");
	return false;
}

static void check_duplicate(struct mkv_decoder *d, const struct mkv_node *list,
			    size_t index, const struct mkv_path *path)
{
	const struct mkv_node *item = list->entries[index].value;
	for (size_t i = 0; i < index; i++) {
		const struct mkv_node *other = list->entries[i].value;
		if (other->kind != MKV_NODE_SCALAR ||
		    strcmp(other->text, item->text) != 0)
			continue;
		mkv_diagnose(d->load, item->mark, "'%s' contains '%.60s' twice",
			     mkv_decode_path(d, path), item->text);
		return;
	}
}

static void decode_list(struct mkv_decoder *d, const struct mkv_row *row,
			const struct mkv_node *node, void *base,
			const struct mkv_path *path)
{
	struct mkv_strings *list = mkv_decode_at(base, row->offset);
	struct mkv_items made = {0};
	if (node->kind != MKV_NODE_LIST) {
		mkv_decode_wrong(d, node, path, "a list");
		return;
	}
	if (!check_min_count(d, row, node, path) ||
	    !allocate_items(d, &made, node->count, sizeof(*list->items)))
		return;
	list->items = made.items;
	for (size_t i = 0; i < node->count; i++) {
		unsigned word;
		char index[24];
		(void)snprintf(index, sizeof(index), "[%zu]", i);
		struct mkv_path here = {path, index};
		const struct mkv_node *item = node->entries[i].value;
		if (!mkv_decode_check_text(d, row, item, &here, &word))
			continue;
		if (!row->repeats)
			check_duplicate(d, node, i, path);
		mkv_decode_keep(d, &list->items[list->count++], item->text);
	}
}

static void decode_objects(struct mkv_decoder *d, const struct mkv_row *row,
			   const struct mkv_node *node, void *base,
			   const struct mkv_path *path)
{
	struct mkv_items *list = mkv_decode_at(base, row->offset);
	if (node->kind != MKV_NODE_LIST) {
		mkv_decode_wrong(d, node, path, "a list of mappings");
		return;
	}
	if (!check_min_count(d, row, node, path) ||
	    !allocate_items(d, list, node->count, row->table->size))
		return;
	for (size_t i = 0; i < node->count; i++) {
		char index[24];
		(void)snprintf(index, sizeof(index), "[%zu]", i);
		struct mkv_path here = {path, index};
		void *item = mkv_decode_at(list->items, i * row->table->size);
		list->count = i + 1;
		decode_rows(d, row->table, node->entries[i].value, item, &here);
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct mkv_node_entry *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

static void check_key(struct mkv_decoder *d, const struct mkv_table *table,
		      const struct mkv_node_entry *entry,
		      const struct mkv_path *path)
{
	unsigned word;
	if (table->key_words)
		(void)mkv_decode_check_words(d, entry->mark, entry->key,
					     table->key_words, path, &word);
	else if (mkv_decode_check_pattern(d, entry->mark, entry->key,
					  table->key_pattern, path) &&
		 table->key_names)
		(void)mkv_decode_check_reference(d, entry->mark, entry->key,
						 table->key_names, NULL, path);
}

static void decode_entry(struct mkv_decoder *d, const struct mkv_table *table,
			 const struct mkv_node_entry *entry, void *item,
			 const struct mkv_path *path)
{
	check_key(d, table, entry, path);
	mkv_decode_keep(d, mkv_decode_at(item, table->key_offset), entry->key);
	if (*table->rows->key == '\0')
		decode_row(d, table->rows, entry->value, item, path);
	else
		decode_rows(d, table, entry->value, item, path);
}

static void decode_map(struct mkv_decoder *d, const struct mkv_row *row,
		       const struct mkv_node *node, void *base,
		       const struct mkv_path *path)
{
	const struct mkv_table *table = row->table;
	struct mkv_items *list = mkv_decode_at(base, row->offset);
	if (node->kind != MKV_NODE_MAP) {
		mkv_decode_wrong(d, node, path, "a mapping");
		return;
	}
	const struct mkv_node_entry **sorted = mkv_arena_take(
		&d->load->arena, node->count * sizeof(struct mkv_node_entry *));
	if (!check_min_count(d, row, node, path) || !sorted ||
	    !allocate_items(d, list, node->count, table->size))
		return;
	for (size_t i = 0; i < node->count; i++)
		sorted[i] = &node->entries[i];
	qsort(sorted, node->count, sizeof(struct mkv_node_entry *),
	      compare_entries);
	for (size_t i = 0; i < node->count; i++) {
		struct mkv_path here = {path, sorted[i]->key};
		list->count = i + 1;
		decode_entry(d, table, sorted[i],
			     mkv_decode_at(list->items, i * table->size),
			     &here);
	}
}

/* rows */

static void diagnose_unknown_key(struct mkv_decoder *d,
				 const struct mkv_table *table,
				 const struct mkv_node_entry *entry,
				 const struct mkv_path *path)
{
	const char *keys[64];
	size_t count = 0;
	for (const struct mkv_row *r = table->rows; r->kind && count < 64; r++)
		keys[count++] = r->key;
	mkv_diagnose(d->load, entry->mark,
		     "unknown key '%.60s'%s%s%s%s; allowed: %s", entry->key,
		     path ? " in '" : "", mkv_decode_path(d, path),
		     path ? "'" : "",
		     mkv_decode_suggest(d, entry->key, keys, count),
		     mkv_decode_join(d, keys, count));
	mkv_diagnose_suggest(d->load, mkv_nearest(entry->key, keys, count));
}

static void diagnose_unknown_keys(struct mkv_decoder *d,
				  const struct mkv_table *table,
				  const struct mkv_node *node,
				  const struct mkv_path *path)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct mkv_node_entry *entry = &node->entries[i];
		const struct mkv_row *row = table->rows;
		while (row->kind && strcmp(row->key, entry->key) != 0)
			row++;
		if (!row->kind)
			diagnose_unknown_key(d, table, entry, path);
	}
}

/* Decodes a default value, which the schema holds in the notation of a recipe.
 */
static void decode_default(struct mkv_decoder *d, const struct mkv_row *row,
			   void *base, const struct mkv_path *path)
{
	struct mkv_node node = {.kind = MKV_NODE_SCALAR,
				.text = row->default_value};
	struct mkv_node items[8] = {0};
	struct mkv_node_entry entries[8] = {0};
	if (row->kind == MKV_ROW_LIST) {
		const char *word = row->default_value;
		node.kind = MKV_NODE_LIST;
		node.entries = entries;
		for (; *word && node.count < 8; node.count++) {
			size_t length = strcspn(word, " ");
			items[node.count].text =
				mkv_arena_text(&d->load->arena, word, length);
			if (!items[node.count].text)
				return;
			entries[node.count].value = &items[node.count];
			word += length + (word[length] == ' ');
		}
	}
	decode_row(d, row, &node, base, path);
}

static void decode_missing(struct mkv_decoder *d, const struct mkv_row *row,
			   struct mkv_mark mark, void *base,
			   const struct mkv_path *path)
{
	static const struct mkv_node empty = {.kind = MKV_NODE_MAP};
	if (row->required && !d->load->partial)
		mkv_diagnose(d->load, mark, "'%s' is missing: %s",
			     mkv_decode_path(d, path), row->doc);
	else if (row->default_value)
		decode_default(d, row, base, path);
	else if (row->implied)
		decode_rows(d, row->table, &empty, base, path);
}

static void decode_row(struct mkv_decoder *d, const struct mkv_row *row,
		       const struct mkv_node *node, void *base,
		       const struct mkv_path *path)
{
	if (row->present)
		*(bool *)mkv_decode_at(base, row->present) = true;
	switch (row->kind) {
	case MKV_ROW_TEXT:
	case MKV_ROW_CHOICE:
		mkv_decode_text(d, row, node, base, path);
		return;
	case MKV_ROW_ANY:
		mkv_decode_any(d, row, node, base, path);
		return;
	case MKV_ROW_REF:
		mkv_decode_ref(d, row, node, base, path);
		return;
	case MKV_ROW_BOOL:
		mkv_decode_bool(d, row, node, base, path);
		return;
	case MKV_ROW_COUNT:
		mkv_decode_count(d, row, node, base, path);
		return;
	case MKV_ROW_SIZE:
	case MKV_ROW_DURATION:
		mkv_decode_measure(d, row, node, base, path);
		return;
	case MKV_ROW_FRACTION:
		mkv_decode_fraction(d, row, node, base, path);
		return;
	case MKV_ROW_LIST:
		decode_list(d, row, node, base, path);
		return;
	case MKV_ROW_OBJECT:
		decode_rows(d, row->table, node, base, path);
		return;
	case MKV_ROW_OBJECTS:
		decode_objects(d, row, node, base, path);
		return;
	case MKV_ROW_MAP:
		decode_map(d, row, node, base, path);
		return;
	}
}

static void decode_rows(struct mkv_decoder *d, const struct mkv_table *table,
			const struct mkv_node *node, void *base,
			const struct mkv_path *path)
{
	if (node->kind != MKV_NODE_MAP) {
		mkv_decode_wrong(d, node, path, "a mapping");
		return;
	}
	diagnose_unknown_keys(d, table, node, path);
	for (const struct mkv_row *row = table->rows; row->kind; row++) {
		const struct mkv_node_entry *entry =
			mkv_node_find(node, row->key);
		struct mkv_path here = {path, row->key};
		size_t before = d->load->diagnostics->count;
		if (!entry)
			decode_missing(d, row, node->mark, base, &here);
		else if (entry->value)
			decode_row(d, row, entry->value, base, &here);
		if (!path && d->load->diagnostics->count > before)
			d->load->broken[d->load->n_broken++] = row->key;
	}
}

void mkv_decode_document(struct mkv_recipe_loader *load,
			 const struct mkv_table *table,
			 const struct mkv_node *root, void *ret)
{
	struct mkv_decoder d = {load, root};
	load->n_broken = 0;
	decode_rows(&d, table, root, ret, NULL);
}

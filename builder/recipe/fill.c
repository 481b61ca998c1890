/* SPDX-License-Identifier: MIT */
/* Walks the tree beside the schema: what is wrong becomes a complaint, what is
 * right a member of the recipe. */

#include <inttypes.h>
#include <regex.h>
#include <string.h>

#include "builder/recipe/load.h"
#include "builder/recipe/schema.h"
#include "builder/recipe/units.h"
#include "lib/text.h"

/* Where the walk is: "hosts.order.image". */
struct path {
	const struct path *outer;
	const char *key;
};

struct fill {
	struct mkv_load *load;
	const struct mkv_node *root;
};

static void *at(void *base, size_t offset)
{
	return (char *)base + offset;
}

static const char *path_text(struct fill *f, const struct path *path)
{
	if (!path || !path->outer)
		return path ? path->key : "";
	const char *outer = path_text(f, path->outer);
	const char *text = mkv_arena_printf(&f->load->arena,
					    *path->key == '[' ? "%s%s" : "%s.%s",
					    outer, path->key);
	return text ? text : "";
}

/* "a, b, c" */
static const char *join(struct fill *f, const char *const *words, size_t count)
{
	auto_buf struct mkv_buf buf = {0};
	for (size_t i = 0; i < count; i++) {
		if (i == 40) {
			mkv_buf_str(&buf, ", ...");
			break;
		}
		mkv_buf_str(&buf, i ? ", " : "");
		mkv_buf_str(&buf, words[i]);
	}
	const char *text = NULL;
	if (!buf.failed && buf.data)
		text = mkv_arena_text(&f->load->arena, buf.data, buf.size);
	return text ? text : "";
}

/* " (did you mean 'x'?)" or "" */
static const char *suggest(struct fill *f, const char *word,
			   const char *const *words, size_t count)
{
	const char *near = mkv_nearest(word, words, count);
	const char *text = NULL;
	if (near)
		text = mkv_arena_printf(&f->load->arena,
					" (did you mean '%s'?)", near);
	return text ? text : "";
}

static void wrong(struct fill *f, const struct mkv_node *node,
		  const struct path *path, const char *must)
{
	mkv_complain(f->load, node->mark, "'%s' must be %s, not %s",
		     path_text(f, path), must,
		     mkv_node_describe(&f->load->arena, node));
}

static void keep_text(struct fill *f, char **to, const char *text)
{
	*to = strdup(text);
	if (!*to)
		f->load->failed = true;
}

/* texts */

static size_t count_words(const char *const *words)
{
	size_t count = 0;
	while (words[count])
		count++;
	return count;
}

static bool word_index(const char *const *words, const char *text, unsigned *ret)
{
	for (unsigned i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static bool check_words(struct fill *f, const struct mkv_node *node,
			const char *const *words, const struct path *path,
			unsigned *ret)
{
	if (word_index(words, node->text, ret))
		return true;
	size_t count = count_words(words);
	mkv_complain(f->load, node->mark, "'%s' must be %s%s, not '%.60s'%s",
		     path_text(f, path), count > 1 ? "one of " : "",
		     join(f, words, count), node->text,
		     suggest(f, node->text, words, count));
	return false;
}

static size_t count_characters(const char *text)
{
	size_t count = 0;
	for (; *text; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

static bool fits_shape(struct fill *f, const struct mkv_shape *shape,
		       const char *text)
{
	regex_t regex;
	if (count_characters(text) > shape->max_length)
		return false;
	if (regcomp(&regex, shape->pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		f->load->failed = true;
		return false;
	}
	bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return fits;
}

/* The names that a path of the recipe holds: a mapping's keys, a list's items, a
 * text by itself. NULL when memory ran out. */
static const char **names_at(struct fill *f, const char *where, const char *also,
			     size_t *ret_count)
{
	const struct mkv_node *node = mkv_node_at(f->root, where);
	size_t room = node ? node->count + 2 : 1, count = 0;
	const char **names =
		mkv_arena_take(&f->load->arena, room * sizeof(*names));
	if (!names)
		return NULL;
	if (also)
		names[count++] = also;
	if (node && node->kind == MKV_NODE_SCALAR)
		names[count++] = node->text;
	for (size_t i = 0; node && i < node->count; i++) {
		const struct mkv_entry *entry = &node->entries[i];
		if (node->kind == MKV_NODE_MAP)
			names[count++] = entry->key;
		else if (entry->value->kind == MKV_NODE_SCALAR)
			names[count++] = entry->value->text;
	}
	*ret_count = count;
	return names;
}

static bool check_reference(struct fill *f, struct mkv_mark mark,
			    const char *text, const char *where,
			    const char *also, const struct path *path)
{
	size_t count = 0;
	const char **names = names_at(f, where, also, &count);
	if (!names || f->load->partial)
		return true;
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], text) == 0)
			return true;
	const char *near = suggest(f, text, names, count);
	mkv_complain(f->load, mark, "'%s' names '%.63s', but %s%s has%s%s%s",
		     path_text(f, path), text, also ? "beside host " : "",
		     where, count > (also != NULL) ? " only " : " nothing",
		     count > (also != NULL) ? join(f, names + (also != NULL),
						   count - (also != NULL))
					    : "",
		     near);
	return false;
}

static bool check_shape(struct fill *f, struct mkv_mark mark, const char *text,
			const struct mkv_shape *shape, const struct path *path)
{
	if (!shape || fits_shape(f, shape, text))
		return true;
	if (!f->load->failed)
		mkv_complain(f->load, mark,
			     "'%s' must be %s (at most %zu characters), not "
			     "'%.60s'",
			     path_text(f, path), shape->words,
			     shape->max_length, text);
	return false;
}

/* A text that the row allows; complains. */
static bool check_text(struct fill *f, const struct mkv_row *row,
		       const struct mkv_node *node, const struct path *path,
		       unsigned *ret_word)
{
	*ret_word = 0;
	if (node->kind != MKV_NODE_SCALAR ||
	    mkv_node_scalar(node) != MKV_SCALAR_TEXT) {
		bool number = node->kind == MKV_NODE_SCALAR &&
			      mkv_node_scalar(node) != MKV_SCALAR_NULL;
		const char *must = row->shape ? row->shape->words : NULL;
		if (row->words)
			must = mkv_arena_printf(
				&f->load->arena, "%s%s",
				row->words[1] ? "one of " : "",
				join(f, row->words, count_words(row->words)));
		mkv_complain(f->load, node->mark, "'%s' must be %s, not %s%s",
			     path_text(f, path), must ? must : "text",
			     mkv_node_describe(&f->load->arena, node),
			     number ? " (quotes make it text)" : "");
		return false;
	}
	if (row->words)
		return check_words(f, node, row->words, path, ret_word);
	if (!check_shape(f, node->mark, node->text, row->shape, path))
		return false;
	return !row->names || check_reference(f, node->mark, node->text,
					      row->names, row->also, path);
}

static void to_lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static void fill_text(struct fill *f, const struct mkv_row *row,
		      const struct mkv_node *node, void *base,
		      const struct path *path)
{
	unsigned word;
	char **to = at(base, row->offset);
	if (!check_text(f, row, node, path, &word))
		return;
	if (row->kind == MKV_ROW_CHOICE) {
		*(unsigned *)at(base, row->offset) = word;
		return;
	}
	keep_text(f, to, node->text);
	if (row->lower && *to)
		to_lower(*to);
}

static void fill_any(struct fill *f, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct path *path)
{
	if (node->kind != MKV_NODE_SCALAR ||
	    mkv_node_scalar(node) == MKV_SCALAR_NULL) {
		wrong(f, node, path, "a text, a number, true or false");
		return;
	}
	if (check_shape(f, node->mark, node->text, row->shape, path))
		keep_text(f, at(base, row->offset), node->text);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Where the name stands among the sorted names: the index in the sorted list. */
static void fill_ref(struct fill *f, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct path *path)
{
	unsigned word;
	size_t count = 0;
	if (!check_text(f, row, node, path, &word))
		return;
	const char **names = names_at(f, row->names, NULL, &count);
	if (!names)
		return;
	qsort(names, count, sizeof(*names), compare_texts);
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], node->text) == 0)
			*(size_t *)at(base, row->offset) = i;
}

/* numbers */

static void fill_bool(struct fill *f, const struct mkv_row *row,
		      const struct mkv_node *node, void *base,
		      const struct path *path)
{
	if (node->kind == MKV_NODE_SCALAR &&
	    mkv_node_scalar(node) == MKV_SCALAR_BOOL)
		*(bool *)at(base, row->offset) = (node->text[0] | 32) == 't';
	else
		wrong(f, node, path, "true or false");
}

static void fill_count(struct fill *f, const struct mkv_row *row,
		       const struct mkv_node *node, void *base,
		       const struct path *path)
{
	uint64_t value;
	if (mkv_node_integer(node, &value) && value >= row->min &&
	    value <= row->max) {
		if (!row->no_member)
			*(unsigned *)at(base, row->offset) = (unsigned)value;
		return;
	}
	const char *must = mkv_arena_printf(
		&f->load->arena,
		row->min == row->max
			? "%" PRIu64
			: "a whole number from %" PRIu64 " to %" PRIu64,
		row->min, row->max);
	if (must)
		wrong(f, node, path, must);
}

static void wrong_measure(struct fill *f, const struct mkv_row *row,
			  const struct mkv_node *node, const struct path *path)
{
	char least[32], most[32];
	bool size = row->kind == MKV_ROW_SIZE;
	if (size) {
		mkv_size_print(row->min, least);
		mkv_size_print(row->max, most);
	} else {
		mkv_duration_print((int64_t)row->min, least);
		mkv_duration_print((int64_t)row->max, most);
	}
	const char *must = mkv_arena_printf(
		&f->load->arena,
		"a %s from %s to %s (a whole number and its unit: %s)",
		size ? "size" : "duration", least, most,
		size ? "B kB MB GB TB KiB MiB GiB TiB" : "ns us ms s min h");
	if (must)
		wrong(f, node, path, must);
}

static void fill_measure(struct fill *f, const struct mkv_row *row,
			 const struct mkv_node *node, void *base,
			 const struct path *path)
{
	uint64_t value = 0;
	int64_t ns = 0;
	int rc = -EINVAL;
	if (node->kind == MKV_NODE_SCALAR && row->kind == MKV_ROW_SIZE)
		rc = mkv_size_parse(node->text, &value);
	else if (node->kind == MKV_NODE_SCALAR)
		rc = mkv_duration_parse(node->text, &ns);
	if (row->kind == MKV_ROW_DURATION)
		value = (uint64_t)ns;
	if (rc < 0 || value < row->min || value > row->max) {
		wrong_measure(f, row, node, path);
		return;
	}
	if (row->kind == MKV_ROW_SIZE)
		*(uint64_t *)at(base, row->offset) = value;
	else
		*(int64_t *)at(base, row->offset) = ns;
}

/* lists and mappings */

static void fill_rows(struct fill *f, const struct mkv_table *table,
		      const struct mkv_node *node, void *base,
		      const struct path *path);
static void fill_row(struct fill *f, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct path *path);

/* Room for `count` elements; the list's own count grows as they are filled. */
static void *make_items(struct fill *f, struct mkv_items *items, size_t count,
			size_t size)
{
	items->items = count ? calloc(count, size) : NULL;
	if (count && !items->items)
		f->load->failed = true;
	return items->items;
}

static bool check_least(struct fill *f, const struct mkv_row *row,
			const struct mkv_node *node, const struct path *path)
{
	if (node->count >= row->min)
		return true;
	mkv_complain(f->load, node->mark, "'%s' must have at least %" PRIu64
		     " of them", path_text(f, path), row->min);
	return false;
}

static void check_repeated(struct fill *f, const struct mkv_node *list,
			   size_t index, const struct path *path)
{
	const struct mkv_node *item = list->entries[index].value;
	for (size_t i = 0; i < index; i++) {
		const struct mkv_node *other = list->entries[i].value;
		if (other->kind != MKV_NODE_SCALAR ||
		    strcmp(other->text, item->text) != 0)
			continue;
		mkv_complain(f->load, item->mark, "'%s' has '%.60s' twice",
			     path_text(f, path), item->text);
		return;
	}
}

static void fill_list(struct fill *f, const struct mkv_row *row,
		      const struct mkv_node *node, void *base,
		      const struct path *path)
{
	struct mkv_strings *list = at(base, row->offset);
	struct mkv_items made = {0};
	if (node->kind != MKV_NODE_LIST) {
		wrong(f, node, path, "a list");
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
		struct path here = {path, index};
		const struct mkv_node *item = node->entries[i].value;
		if (!check_text(f, row, item, &here, &word))
			continue;
		if (!row->repeats)
			check_repeated(f, node, i, path);
		keep_text(f, &list->items[list->count++], item->text);
	}
}

static void fill_objects(struct fill *f, const struct mkv_row *row,
			 const struct mkv_node *node, void *base,
			 const struct path *path)
{
	struct mkv_items *list = at(base, row->offset);
	if (node->kind != MKV_NODE_LIST) {
		wrong(f, node, path, "a list of mappings");
		return;
	}
	if (!check_least(f, row, node, path) ||
	    !make_items(f, list, node->count, row->table->size))
		return;
	for (size_t i = 0; i < node->count; i++) {
		char index[24];
		(void)snprintf(index, sizeof(index), "[%zu]", i);
		struct path here = {path, index};
		void *item = at(list->items, i * row->table->size);
		list->count = i + 1;
		fill_rows(f, row->table, node->entries[i].value, item, &here);
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct mkv_entry *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

static void fill_map(struct fill *f, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct path *path)
{
	const struct mkv_table *table = row->table;
	struct mkv_items *list = at(base, row->offset);
	if (node->kind != MKV_NODE_MAP) {
		wrong(f, node, path, "a mapping");
		return;
	}
	const struct mkv_entry **sorted = mkv_arena_take(
		&f->load->arena, node->count * sizeof(struct mkv_entry *));
	if (!check_least(f, row, node, path) || !sorted ||
	    !make_items(f, list, node->count, table->size))
		return;
	for (size_t i = 0; i < node->count; i++)
		sorted[i] = &node->entries[i];
	qsort(sorted, node->count, sizeof(struct mkv_entry *),
	      compare_entries);
	for (size_t i = 0; i < node->count; i++) {
		const struct mkv_entry *entry = sorted[i];
		struct path here = {path, entry->key};
		void *item = at(list->items, i * table->size);
		list->count = i + 1;
		if (check_shape(f, entry->mark, entry->key, table->key_shape,
				&here) &&
		    table->key_names)
			(void)check_reference(f, entry->mark, entry->key,
					      table->key_names, NULL, &here);
		keep_text(f, at(item, table->key_offset), entry->key);
		if (*table->rows->key == '\0')
			fill_row(f, table->rows, entry->value, item, &here);
		else
			fill_rows(f, table, entry->value, item, &here);
	}
}

/* rows */

static const char *unknown_hint(struct fill *f, const struct mkv_table *table,
				const char *key)
{
	const char *keys[64];
	size_t count = 0;
	for (const struct mkv_row *r = table->rows; r->kind && count < 64; r++)
		keys[count++] = r->key;
	const char *text = mkv_arena_printf(&f->load->arena, "%s; allowed: %s",
					    suggest(f, key, keys, count),
					    join(f, keys, count));
	return text ? text : "";
}

static void complain_unknown(struct fill *f, const struct mkv_table *table,
			     const struct mkv_node *node,
			     const struct path *path)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct mkv_entry *entry = &node->entries[i];
		const struct mkv_row *row = table->rows;
		while (row->kind && strcmp(row->key, entry->key) != 0)
			row++;
		if (row->kind)
			continue;
		mkv_complain(f->load, entry->mark, "unknown key '%.60s'%s%s%s%s",
			     entry->key, path ? " in '" : "",
			     path_text(f, path), path ? "'" : "",
			     unknown_hint(f, table, entry->key));
	}
}

/* A default, said as a recipe would say it. */
static void fill_fallback(struct fill *f, const struct mkv_row *row,
			  void *base, const struct path *path)
{
	struct mkv_node node = {.kind = MKV_NODE_SCALAR, .text = row->fallback};
	struct mkv_node items[8] = {0};
	struct mkv_entry entries[8] = {0};
	if (row->kind == MKV_ROW_LIST) {
		const char *word = row->fallback;
		node.kind = MKV_NODE_LIST;
		node.entries = entries;
		for (; *word && node.count < 8; node.count++) {
			size_t length = strcspn(word, " ");
			items[node.count].text = mkv_arena_text(
				&f->load->arena, word, length);
			if (!items[node.count].text)
				return;
			entries[node.count].value = &items[node.count];
			word += length + (word[length] == ' ');
		}
	}
	fill_row(f, row, &node, base, path);
}

static void fill_absent(struct fill *f, const struct mkv_row *row,
			struct mkv_mark mark, void *base,
			const struct path *path)
{
	static const struct mkv_node empty = {.kind = MKV_NODE_MAP};
	if (row->required && !f->load->partial)
		mkv_complain(f->load, mark, "'%s' is missing: %s",
			     path_text(f, path), row->doc);
	else if (row->fallback)
		fill_fallback(f, row, base, path);
	else if (row->implied)
		fill_rows(f, row->table, &empty, base, path);
}

static void fill_row(struct fill *f, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct path *path)
{
	if (row->present)
		*(bool *)at(base, row->present) = true;
	switch (row->kind) {
	case MKV_ROW_TEXT:
	case MKV_ROW_CHOICE:
		fill_text(f, row, node, base, path);
		return;
	case MKV_ROW_ANY:
		fill_any(f, row, node, base, path);
		return;
	case MKV_ROW_REF:
		fill_ref(f, row, node, base, path);
		return;
	case MKV_ROW_BOOL:
		fill_bool(f, row, node, base, path);
		return;
	case MKV_ROW_COUNT:
		fill_count(f, row, node, base, path);
		return;
	case MKV_ROW_SIZE:
	case MKV_ROW_DURATION:
		fill_measure(f, row, node, base, path);
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

static void fill_rows(struct fill *f, const struct mkv_table *table,
		      const struct mkv_node *node, void *base,
		      const struct path *path)
{
	if (node->kind != MKV_NODE_MAP) {
		wrong(f, node, path, "a mapping");
		return;
	}
	complain_unknown(f, table, node, path);
	for (const struct mkv_row *row = table->rows; row->kind; row++) {
		const struct mkv_entry *entry = mkv_node_find(node, row->key);
		struct path here = {path, row->key};
		if (!entry)
			fill_absent(f, row, node->mark, base, &here);
		else if (entry->value)
			fill_row(f, row, entry->value, base, &here);
	}
}


void mkv_fill_recipe(struct mkv_load *load, const struct mkv_node *root,
		     struct mkv_recipe *ret)
{
	struct fill f = {load, root};
	fill_rows(&f, &mkv_schema_recipe, root, ret, NULL);
}

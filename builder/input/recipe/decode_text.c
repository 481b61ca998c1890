/* SPDX-License-Identifier: MIT */
#include <regex.h>
#include <string.h>

#include "builder/input/recipe/decode.h"
#include "lib/cputext.h"
#include "lib/text.h"

const char *mkv_decode_path(struct mkv_decoder *d, const struct mkv_path *path)
{
	if (!path || !path->outer)
		return path ? path->key : "";
	const char *outer = mkv_decode_path(d, path->outer);
	const char *text = mkv_arena_printf(
		&d->load->arena, *path->key == '[' ? "%s%s" : "%s.%s", outer,
		path->key);
	return text ? text : "";
}

/* "a, b, c" */
const char *mkv_decode_join(struct mkv_decoder *d, const char *const *words,
			    size_t count)
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
		text = mkv_arena_text(&d->load->arena, buf.data, buf.size);
	return text ? text : "";
}

const char *mkv_decode_suggest(struct mkv_decoder *d, const char *word,
			       const char *const *words, size_t count)
{
	const char *near = mkv_nearest(word, words, count);
	const char *text = NULL;
	if (near)
		text = mkv_arena_printf(&d->load->arena,
					" (did you mean '%s'?)", near);
	return text ? text : "";
}

void mkv_decode_wrong(struct mkv_decoder *d, const struct mkv_node *node,
		      const struct mkv_path *path, const char *must)
{
	mkv_diagnose(d->load, node->mark, "'%s' must be %s, not %s",
		     mkv_decode_path(d, path), must,
		     mkv_node_describe(&d->load->arena, node));
}

void mkv_decode_keep(struct mkv_decoder *d, char **to, const char *text)
{
	*to = strdup(text);
	if (!*to)
		d->load->failed = true;
}

static size_t count_words(const char *const *words)
{
	size_t count = 0;
	while (words[count])
		count++;
	return count;
}

static bool word_index(const char *const *words, const char *text,
		       unsigned *ret)
{
	for (unsigned i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

bool mkv_decode_check_words(struct mkv_decoder *d, struct mkv_mark mark,
			    const char *text, const char *const *words,
			    const struct mkv_path *path, unsigned *ret_word)
{
	if (word_index(words, text, ret_word))
		return true;
	size_t count = count_words(words);
	mkv_diagnose(d->load, mark, "'%s' must be %s%s, not '%.60s'%s",
		     mkv_decode_path(d, path), count > 1 ? "one of " : "",
		     mkv_decode_join(d, words, count), text,
		     mkv_decode_suggest(d, text, words, count));
	mkv_diagnose_suggest(d->load, mkv_nearest(text, words, count));
	return false;
}

static size_t count_characters(const char *text)
{
	size_t count = 0;
	for (; *text; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

static bool matches_pattern(struct mkv_decoder *d,
			    const struct mkv_pattern *pattern, const char *text)
{
	regex_t regex;
	if (regcomp(&regex, pattern->regex, REG_EXTENDED | REG_NOSUB) != 0) {
		d->load->failed = true;
		return false;
	}
	bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return fits;
}

/* The names at a path of the recipe: a mapping's keys, a list's items, or a
 * single text. NULL when out of memory. */
static const char **names_at(struct mkv_decoder *d, const char *where,
			     const char *also, size_t *ret_count)
{
	const struct mkv_node *node = mkv_node_at(d->root, where);
	size_t room = node ? node->count + 2 : 1, count = 0;
	const char **names =
		mkv_arena_take(&d->load->arena, room * sizeof(*names));
	if (!names)
		return NULL;
	if (also)
		names[count++] = also;
	if (node && node->kind == MKV_NODE_SCALAR)
		names[count++] = node->text;
	for (size_t i = 0; node && i < node->count; i++) {
		const struct mkv_node_entry *entry = &node->entries[i];
		if (node->kind == MKV_NODE_MAP)
			names[count++] = entry->key;
		else if (entry->value->kind == MKV_NODE_SCALAR)
			names[count++] = entry->value->text;
	}
	*ret_count = count;
	return names;
}

bool mkv_decode_check_reference(struct mkv_decoder *d, struct mkv_mark mark,
				const char *text, const char *where,
				const char *also, const struct mkv_path *path)
{
	size_t count = 0;
	const char **names = names_at(d, where, also, &count);
	if (!names || d->load->partial)
		return true;
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], text) == 0)
			return true;
	const char *all = count ? mkv_decode_join(d, names, count) : "none";
	mkv_diagnose(
		d->load, mark,
		"'%s' names '%.63s', which '%s' does not define%s; allowed: %s",
		mkv_decode_path(d, path), text, where,
		mkv_decode_suggest(d, text, names, count), all);
	mkv_diagnose_suggest(d->load, mkv_nearest(text, names, count));
	return false;
}

bool mkv_decode_check_pattern(struct mkv_decoder *d, struct mkv_mark mark,
			      const char *text,
			      const struct mkv_pattern *pattern,
			      const struct mkv_path *path)
{
	if (!pattern || d->load->failed)
		return true;
	const char *where = mkv_decode_path(d, path);
	size_t length = pattern->escaped ? mkv_cputext_read(text, NULL, 0)
					 : count_characters(text);
	if (length > pattern->max_length) {
		mkv_diagnose(d->load, mark,
			     "'%s' must have at most %zu %s, not %zu", where,
			     pattern->max_length,
			     pattern->escaped ? "bytes" : "characters", length);
		return false;
	}
	if (matches_pattern(d, pattern, text))
		return true;
	if (!d->load->failed)
		mkv_diagnose(d->load, mark, "'%s' must be %s, not '%.60s'",
			     where, pattern->description, text);
	return false;
}

bool mkv_decode_check_text(struct mkv_decoder *d, const struct mkv_row *row,
			   const struct mkv_node *node,
			   const struct mkv_path *path, unsigned *ret_word)
{
	*ret_word = 0;
	if (node->kind != MKV_NODE_SCALAR ||
	    mkv_node_scalar(node) != MKV_SCALAR_TEXT) {
		bool number = node->kind == MKV_NODE_SCALAR &&
			      mkv_node_scalar(node) != MKV_SCALAR_NULL;
		const char *must =
			row->pattern ? row->pattern->description : NULL;
		if (row->words)
			must = mkv_arena_printf(
				&d->load->arena, "%s%s",
				row->words[1] ? "one of " : "",
				mkv_decode_join(d, row->words,
						count_words(row->words)));
		mkv_diagnose(d->load, node->mark, "'%s' must be %s, not %s%s",
			     mkv_decode_path(d, path), must ? must : "text",
			     mkv_node_describe(&d->load->arena, node),
			     number ? " (quote it to make it text)" : "");
		return false;
	}
	if (row->words)
		return mkv_decode_check_words(d, node->mark, node->text,
					      row->words, path, ret_word);
	if (!mkv_decode_check_pattern(d, node->mark, node->text, row->pattern,
				      path))
		return false;
	return !row->names ||
	       mkv_decode_check_reference(d, node->mark, node->text, row->names,
					  row->also, path);
}

static void to_lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

void mkv_decode_text(struct mkv_decoder *d, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct mkv_path *path)
{
	unsigned word;
	char **to = mkv_decode_at(base, row->offset);
	if (!mkv_decode_check_text(d, row, node, path, &word))
		return;
	if (row->kind == MKV_ROW_CHOICE) {
		*(unsigned *)mkv_decode_at(base, row->offset) = word;
		return;
	}
	mkv_decode_keep(d, to, node->text);
	if (row->lower && *to)
		to_lower(*to);
}

void mkv_decode_any(struct mkv_decoder *d, const struct mkv_row *row,
		    const struct mkv_node *node, void *base,
		    const struct mkv_path *path)
{
	if (node->kind != MKV_NODE_SCALAR ||
	    mkv_node_scalar(node) == MKV_SCALAR_NULL) {
		mkv_decode_wrong(d, node, path,
				 "text, a number, true or false");
		return;
	}
	if (mkv_decode_check_pattern(d, node->mark, node->text, row->pattern,
				     path))
		mkv_decode_keep(d, mkv_decode_at(base, row->offset),
				node->text);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The index of the name in the sorted list of names, because maps are decoded
 * in the order of their keys. */
void mkv_decode_ref(struct mkv_decoder *d, const struct mkv_row *row,
		    const struct mkv_node *node, void *base,
		    const struct mkv_path *path)
{
	unsigned word;
	size_t count = 0;
	if (!mkv_decode_check_text(d, row, node, path, &word))
		return;
	const char **names = names_at(d, row->names, NULL, &count);
	if (!names)
		return;
	qsort(names, count, sizeof(*names), compare_texts);
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], node->text) == 0)
			*(size_t *)mkv_decode_at(base, row->offset) = i;
}

/* SPDX-License-Identifier: MIT */
/* Builds nodes from libyaml's events. Anchors, aliases and tags are refused:
 * `include:` serves to share parts, and without aliases a tree is never larger
 * than its file. */

#include <string.h>
#include <yaml.h>

#include "builder/input/recipe/load.h"

struct reader {
	struct mkv_recipe_loader *load;
	yaml_parser_t parser;
	const char *shown, *directory, *data;
	bool stopped; /* no further parsing, after a diagnostic */
};

static void event_done(yaml_event_t *event)
{
	yaml_event_delete(event);
}
#define auto_event __attribute__((cleanup(event_done)))

static struct mkv_mark mark_of(const struct reader *r, yaml_mark_t mark)
{
	return (struct mkv_mark){r->shown, (unsigned)mark.line + 1,
				 (unsigned)mark.column + 1};
}

static void stop_reading(struct reader *r, yaml_mark_t mark, const char *why)
{
	if (!r->stopped)
		mkv_diagnose(r->load, mark_of(r, mark), "%s", why);
	r->stopped = true;
}

/* The line and column of a byte offset, because libyaml's reader errors have no
 * mark. */
static yaml_mark_t mark_of_byte(const struct reader *r, size_t offset)
{
	yaml_mark_t mark = {0};
	for (size_t i = 0; i < offset && r->data[i]; i++) {
		mark.column++;
		if (r->data[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

static void stop_by_parser(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	if (r->stopped)
		return;
	r->stopped = true;
	if (p->error == YAML_MEMORY_ERROR) {
		r->load->failed = true;
		return;
	}
	yaml_mark_t mark = p->error == YAML_READER_ERROR
				   ? mark_of_byte(r, p->problem_offset)
				   : p->problem_mark;
	mkv_diagnose(r->load, mark_of(r, mark), "not valid YAML: %s%s%s%s",
		     p->problem ? p->problem : "unreadable",
		     p->context ? " (" : "", p->context ? p->context : "",
		     p->context ? ")" : "");
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
	if (r->stopped)
		return false;
	if (!yaml_parser_parse(&r->parser, event)) {
		stop_by_parser(r);
		return false;
	}
	return true;
}

static struct mkv_node *new_node(struct reader *r, enum mkv_node_kind kind,
				 yaml_mark_t mark)
{
	if (++r->load->nodes > MKV_RECIPE_NODES_MAX) {
		stop_reading(r, mark,
			     "too large: a recipe has at most 20000 values");
		return NULL;
	}
	struct mkv_node *node = mkv_arena_take(&r->load->arena, sizeof(*node));
	if (!node) {
		r->stopped = true;
		return NULL;
	}
	node->kind = kind;
	node->mark = mark_of(r, mark);
	node->directory = r->directory;
	return node;
}

static struct mkv_node_entry *new_entry(struct reader *r, struct mkv_node *node,
					yaml_mark_t mark)
{
	if (node->count == MKV_RECIPE_ENTRIES_MAX) {
		stop_reading(
			r, mark,
			"too large: a list or mapping has at most 1000 entries");
		return NULL;
	}
	/* The capacity is the next power of two of the count. */
	if ((node->count & (node->count - 1)) == 0) {
		size_t room = node->count ? node->count * 2 : 1;
		struct mkv_node_entry *entries = mkv_arena_take(
			&r->load->arena, room * sizeof(*entries));
		if (!entries) {
			r->stopped = true;
			return NULL;
		}
		if (node->count)
			memcpy(entries, node->entries,
			       node->count * sizeof(*entries));
		node->entries = entries;
	}
	return &node->entries[node->count++];
}

static const char *scalar_text(struct reader *r, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	if (memchr(text, '\0', length)) {
		stop_reading(r, event->start_mark,
			     "text must not contain a NUL byte");
		return NULL;
	}
	return mkv_arena_text(&r->load->arena, text, length);
}

/* Refuses a node with an anchor or a tag. */
static void refuse_anchor_or_tag(struct reader *r, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	} else if (event->type == YAML_ALIAS_EVENT) {
		anchor = event->data.alias.anchor;
	}
	if (anchor)
		stop_reading(
			r, event->start_mark,
			"anchors and aliases are not supported: put shared parts "
			"in a file and `include:` it");
	else if (tag)
		stop_reading(r, event->start_mark, "tags are not supported");
}

static struct mkv_node *read_node(struct reader *r, const yaml_event_t *event,
				  unsigned depth);

static void read_list(struct reader *r, struct mkv_node *node, unsigned depth)
{
	while (!r->stopped) {
		auto_event yaml_event_t event = {0};
		if (!next_event(r, &event) ||
		    event.type == YAML_SEQUENCE_END_EVENT)
			return;
		struct mkv_node_entry *entry =
			new_entry(r, node, event.start_mark);
		if (!entry)
			return;
		entry->mark = mark_of(r, event.start_mark);
		entry->value = read_node(r, &event, depth);
	}
}

static void read_pair(struct reader *r, struct mkv_node *node,
		      const yaml_event_t *key, unsigned depth)
{
	refuse_anchor_or_tag(r, key);
	if (key->type != YAML_SCALAR_EVENT)
		stop_reading(r, key->start_mark, "a key must be a scalar");
	if (r->stopped)
		return;
	const char *text = scalar_text(r, key);
	auto_event yaml_event_t event = {0};
	if (!text || !next_event(r, &event))
		return;
	struct mkv_node *value = read_node(r, &event, depth);
	const struct mkv_node_entry *earlier = mkv_node_find(node, text);
	if (earlier) {
		mkv_diagnose(r->load, mark_of(r, key->start_mark),
			     "duplicate key '%.60s': first defined in line %u",
			     text, earlier->mark.line);
		return;
	}
	struct mkv_node_entry *entry = new_entry(r, node, key->start_mark);
	if (entry)
		*entry = (struct mkv_node_entry){
			text, mark_of(r, key->start_mark), value};
}

static void read_map(struct reader *r, struct mkv_node *node, unsigned depth)
{
	while (!r->stopped) {
		auto_event yaml_event_t event = {0};
		if (!next_event(r, &event) ||
		    event.type == YAML_MAPPING_END_EVENT)
			return;
		read_pair(r, node, &event, depth);
	}
}

/* NULL only if the reader stopped. */
static struct mkv_node *read_node(struct reader *r, const yaml_event_t *event,
				  unsigned depth)
{
	refuse_anchor_or_tag(r, event);
	if (depth == MKV_RECIPE_DEPTH_MAX)
		stop_reading(
			r, event->start_mark,
			"lists and mappings are nested deeper than 16 levels");
	if (r->stopped)
		return NULL;
	struct mkv_node *node;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		node = new_node(r, MKV_NODE_SCALAR, event->start_mark);
		if (!node)
			return NULL;
		node->text = scalar_text(r, event);
		node->quoted =
			event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		return node->text ? node : NULL;
	case YAML_SEQUENCE_START_EVENT:
		node = new_node(r, MKV_NODE_LIST, event->start_mark);
		if (node)
			read_list(r, node, depth + 1);
		return node;
	case YAML_MAPPING_START_EVENT:
		node = new_node(r, MKV_NODE_MAP, event->start_mark);
		if (node)
			read_map(r, node, depth + 1);
		return node;
	default:
		stop_reading(r, event->start_mark, "not valid YAML");
		return NULL;
	}
}

/* Reads STREAM-START, one document, STREAM-END. */
static struct mkv_node *read_stream(struct reader *r)
{
	struct mkv_node *root = NULL;
	while (!r->stopped) {
		auto_event yaml_event_t event = {0};
		if (!next_event(r, &event) ||
		    event.type == YAML_STREAM_END_EVENT)
			break;
		if (event.type == YAML_STREAM_START_EVENT ||
		    event.type == YAML_DOCUMENT_END_EVENT)
			continue;
		if (event.type != YAML_DOCUMENT_START_EVENT)
			root = read_node(r, &event, 0);
		else if (root)
			stop_reading(
				r, event.start_mark,
				"a file must contain exactly one YAML document");
	}
	return r->stopped ? NULL : root;
}

struct mkv_node *mkv_yaml_parse(struct mkv_recipe_loader *load,
				const char *shown, const char *directory,
				const char *data, size_t size)
{
	struct reader r = {.load = load,
			   .shown = shown,
			   .directory = directory,
			   .data = data};
	if (!yaml_parser_initialize(&r.parser)) {
		load->failed = true;
		return NULL;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)data,
				     size);
	struct mkv_node *root = read_stream(&r);
	if (!root && !r.stopped)
		mkv_diagnose(load, (struct mkv_mark){shown, 1, 1},
			     "the file is empty");
	yaml_parser_delete(&r.parser);
	return root;
}

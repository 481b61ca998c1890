/* SPDX-License-Identifier: MIT */
/* The schema table as a JSON Schema, draft 2020-12. The document describes one
 * file: one that includes others may leave out what they say, so that nothing
 * is required of it ($defs/part); else everything is ($defs/whole). */

#include "builder/recipe/json.h"
#include "builder/recipe/schema.h"
#include "builder/recipe/units.h"

struct printer {
	struct mkv_json json;
	bool part; /* nothing is required */
};

static void print_rows(struct printer *p, const struct mkv_table *table);
static void print_row(struct printer *p, const struct mkv_row *row);

static void print_shape(struct printer *p, const struct mkv_shape *shape)
{
	if (!shape)
		return;
	mkv_json_text(&p->json, "pattern", shape->pattern);
	mkv_json_number(&p->json, "maxLength", shape->max_length);
}

static void print_text(struct printer *p, const struct mkv_row *row)
{
	mkv_json_text(&p->json, "type", "string");
	print_shape(p, row->shape);
	if (!row->words)
		return;
	mkv_json_open(&p->json, "enum", '[');
	for (const char *const *word = row->words; *word; word++)
		mkv_json_text(&p->json, NULL, *word);
	mkv_json_close(&p->json, ']');
}

static void print_any(struct printer *p, const struct mkv_row *row)
{
	mkv_json_open(&p->json, "type", '[');
	mkv_json_text(&p->json, NULL, "string");
	mkv_json_text(&p->json, NULL, "number");
	mkv_json_text(&p->json, NULL, "boolean");
	mkv_json_close(&p->json, ']');
	print_shape(p, row->shape);
}

static void print_array(struct printer *p, const struct mkv_row *row)
{
	mkv_json_text(&p->json, "type", "array");
	if (row->min)
		mkv_json_number(&p->json, "minItems", row->min);
	if (row->kind == MKV_ROW_LIST && !row->repeats)
		mkv_json_bool(&p->json, "uniqueItems", true);
	mkv_json_open(&p->json, "items", '{');
	if (row->kind == MKV_ROW_LIST)
		print_text(p, row);
	else
		print_rows(p, row->table);
	mkv_json_close(&p->json, '}');
}

static void print_map(struct printer *p, const struct mkv_row *row)
{
	const struct mkv_table *table = row->table;
	mkv_json_text(&p->json, "type", "object");
	if (row->min && !p->part)
		mkv_json_number(&p->json, "minProperties", row->min);
	mkv_json_open(&p->json, "propertyNames", '{');
	print_shape(p, table->key_shape);
	mkv_json_close(&p->json, '}');
	mkv_json_open(&p->json, "additionalProperties", '{');
	if (*table->rows->key == '\0')
		print_row(p, table->rows);
	else
		print_rows(p, table);
	mkv_json_close(&p->json, '}');
}

static void print_kind(struct printer *p, const struct mkv_row *row)
{
	struct mkv_json *json = &p->json;
	switch (row->kind) {
	case MKV_ROW_TEXT:
	case MKV_ROW_CHOICE:
	case MKV_ROW_REF:
		print_text(p, row);
		return;
	case MKV_ROW_ANY:
		print_any(p, row);
		return;
	case MKV_ROW_BOOL:
		mkv_json_text(json, "type", "boolean");
		return;
	case MKV_ROW_COUNT:
		mkv_json_text(json, "type", "integer");
		mkv_json_number(json, "minimum", row->min);
		mkv_json_number(json, "maximum", row->max);
		return;
	case MKV_ROW_SIZE:
	case MKV_ROW_DURATION:
		mkv_json_text(json, "type", "string");
		mkv_json_text(json, "pattern",
			      row->kind == MKV_ROW_SIZE ? MKV_SIZE_PATTERN
							: MKV_DURATION_PATTERN);
		return;
	case MKV_ROW_LIST:
	case MKV_ROW_OBJECTS:
		print_array(p, row);
		return;
	case MKV_ROW_OBJECT:
		print_rows(p, row->table);
		return;
	case MKV_ROW_MAP:
		print_map(p, row);
		return;
	}
}

static void print_default(struct printer *p, const struct mkv_row *row)
{
	struct mkv_json *json = &p->json;
	if (!row->fallback || row->kind == MKV_ROW_LIST)
		return;
	if (row->kind == MKV_ROW_COUNT)
		mkv_json_number(json, "default",
				strtoull(row->fallback, NULL, 10));
	else if (row->kind == MKV_ROW_BOOL)
		mkv_json_bool(json, "default", row->fallback[0] == 't');
	else
		mkv_json_text(json, "default", row->fallback);
}

static void print_row(struct printer *p, const struct mkv_row *row)
{
	if (row->doc)
		mkv_json_text(&p->json, "description", row->doc);
	print_kind(p, row);
	print_default(p, row);
}

/* The hardware may be a name; the rest of it stands in a file of its own. */
static void print_hardware(struct printer *p, const struct mkv_row *row)
{
	const struct mkv_row *name = row->table->rows;
	mkv_json_open(&p->json, row->key, '{');
	mkv_json_text(&p->json, "description", row->doc);
	mkv_json_open(&p->json, "anyOf", '[');
	mkv_json_open(&p->json, NULL, '{');
	print_text(p, name);
	mkv_json_close(&p->json, '}');
	mkv_json_open(&p->json, NULL, '{');
	if (p->part)
		print_rows(p, row->table);
	else
		mkv_json_text(&p->json, "$ref", "#/$defs/hardware");
	mkv_json_close(&p->json, '}');
	mkv_json_close(&p->json, ']');
	mkv_json_close(&p->json, '}');
}

static void print_include(struct printer *p)
{
	mkv_json_open(&p->json, "include", '{');
	mkv_json_text(&p->json, "description",
		      "Files, relative to this one, whose values hold where "
		      "this one says nothing");
	mkv_json_open(&p->json, "type", '[');
	mkv_json_text(&p->json, NULL, "string");
	mkv_json_text(&p->json, NULL, "array");
	mkv_json_close(&p->json, ']');
	mkv_json_text(&p->json, "pattern", "^[^/]");
	mkv_json_open(&p->json, "items", '{');
	mkv_json_text(&p->json, "type", "string");
	mkv_json_text(&p->json, "pattern", "^[^/]");
	mkv_json_close(&p->json, '}');
	mkv_json_close(&p->json, '}');
}

static void print_required(struct printer *p, const struct mkv_table *table)
{
	bool any = false;
	for (const struct mkv_row *row = table->rows; row->kind; row++)
		any = any || row->required;
	if (!any || p->part)
		return;
	mkv_json_open(&p->json, "required", '[');
	for (const struct mkv_row *row = table->rows; row->kind; row++)
		if (row->required)
			mkv_json_text(&p->json, NULL, row->key);
	mkv_json_close(&p->json, ']');
}

static void print_rows(struct printer *p, const struct mkv_table *table)
{
	mkv_json_text(&p->json, "type", "object");
	mkv_json_bool(&p->json, "additionalProperties", false);
	print_required(p, table);
	mkv_json_open(&p->json, "properties", '{');
	if (table == &mkv_schema_recipe)
		print_include(p);
	for (const struct mkv_row *row = table->rows; row->kind; row++) {
		if (row->table == &mkv_schema_hardware) {
			print_hardware(p, row);
			continue;
		}
		mkv_json_open(&p->json, row->key, '{');
		print_row(p, row);
		mkv_json_close(&p->json, '}');
	}
	mkv_json_close(&p->json, '}');
}

static void print_definition(struct printer *p, const char *name,
			     const struct mkv_table *table, bool part)
{
	p->part = part;
	mkv_json_open(&p->json, name, '{');
	print_rows(p, table);
	mkv_json_close(&p->json, '}');
}

static void print_reference(struct printer *p, const char *key,
			    const char *definition)
{
	mkv_json_open(&p->json, key, '{');
	mkv_json_text(&p->json, "$ref", definition);
	mkv_json_close(&p->json, '}');
}

int mkv_schema_print(struct mkv_buf *ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf buf = {0};
	struct printer p = {.json = {.to = &buf}};
	struct mkv_json *json = &p.json;
	mkv_json_open(json, NULL, '{');
	mkv_json_text(json, "$schema",
		      "https://json-schema.org/draft/2020-12/schema");
	mkv_json_text(json, "title", "A recipe of mkvbench");
	mkv_json_open(json, "if", '{');
	mkv_json_text(json, "type", "object");
	mkv_json_open(json, "required", '[');
	mkv_json_text(json, NULL, "include");
	mkv_json_close(json, ']');
	mkv_json_close(json, '}');
	print_reference(&p, "then", "#/$defs/part");
	print_reference(&p, "else", "#/$defs/whole");
	mkv_json_open(json, "$defs", '{');
	print_definition(&p, "hardware", &mkv_schema_hardware, false);
	print_definition(&p, "part", &mkv_schema_recipe, true);
	print_definition(&p, "whole", &mkv_schema_recipe, false);
	mkv_json_close(json, '}');
	mkv_json_close(json, '}');
	int rc = mkv_buf_check(&buf, err);
	if (rc == 0) {
		*ret = buf;
		buf = (struct mkv_buf){0};
	}
	return rc;
}

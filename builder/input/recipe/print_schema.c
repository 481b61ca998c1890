/* SPDX-License-Identifier: MIT */
/* Prints the schema tables as a JSON Schema, draft 2020-12. It describes a
 * single file. In a file with `include` no key is required, because the
 * included files may define it ($defs/part); in any other file all required
 * keys must be present ($defs/whole). */

#include "builder/input/recipe/document.h"
#include "builder/input/recipe/schema.h"
#include "builder/input/recipe/units.h"

#define with mkv_document_with

static json_t *with_rows(json_t *to, const struct mkv_table *table, bool part);
static json_t *with_row(json_t *to, const struct mkv_row *row, bool part);

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *with_pattern(json_t *to, const struct mkv_pattern *pattern)
{
	if (!pattern)
		return to;
	to = with(to, "pattern", json_string(pattern->regex));
	return with(to, "maxLength",
		    number(pattern->max_length * (pattern->escaped ? 4 : 1)));
}

static json_t *with_words(json_t *to, const char *const *words)
{
	if (!words)
		return to;
	json_t *values = json_array();
	for (const char *const *word = words; *word; word++)
		values = mkv_document_add(values, json_string(*word));
	return with(to, "enum", values);
}

static json_t *with_text(json_t *to, const struct mkv_row *row)
{
	to = with(to, "type", json_string("string"));
	return with_words(with_pattern(to, row->pattern), row->words);
}

static json_t *with_array(json_t *to, const struct mkv_row *row, bool part)
{
	json_t *items = row->kind == MKV_ROW_LIST
				? with_text(json_object(), row)
				: with_rows(json_object(), row->table, part);
	to = with(to, "type", json_string("array"));
	if (row->min)
		to = with(to, "minItems", number(row->min));
	if (row->kind == MKV_ROW_LIST && !row->repeats)
		to = with(to, "uniqueItems", json_true());
	return with(to, "items", items);
}

static json_t *with_map(json_t *to, const struct mkv_row *row, bool part)
{
	const struct mkv_table *table = row->table;
	json_t *value = *table->rows->key == '\0'
				? with_row(json_object(), table->rows, part)
				: with_rows(json_object(), table, part);
	to = with(to, "type", json_string("object"));
	if (row->min && !part)
		to = with(to, "minProperties", number(row->min));
	to = with(to, "propertyNames",
		  with_words(with_pattern(json_object(), table->key_pattern),
			     table->key_words));
	return with(to, "additionalProperties", value);
}

static json_t *with_kind(json_t *to, const struct mkv_row *row, bool part)
{
	switch (row->kind) {
	case MKV_ROW_TEXT:
	case MKV_ROW_CHOICE:
	case MKV_ROW_REF:
		return with_text(to, row);
	case MKV_ROW_ANY:
		to = with(to, "type",
			  json_pack("[sss]", "string", "number", "boolean"));
		return with_pattern(to, row->pattern);
	case MKV_ROW_BOOL:
		return with(to, "type", json_string("boolean"));
	case MKV_ROW_COUNT:
		to = with(to, "type", json_string("integer"));
		to = with(to, "minimum", number(row->min));
		return with(to, "maximum", number(row->max));
	case MKV_ROW_SIZE:
		to = with(to, "type", json_string("string"));
		return with(to, "pattern", json_string(MKV_SIZE_PATTERN));
	case MKV_ROW_DURATION:
		to = with(to, "type", json_string("string"));
		return with(to, "pattern", json_string(MKV_DURATION_PATTERN));
	case MKV_ROW_FRACTION:
		to = with(to, "type", json_string("string"));
		return with(to, "pattern", json_string(MKV_PERCENTAGE_PATTERN));
	case MKV_ROW_LIST:
	case MKV_ROW_OBJECTS:
		return with_array(to, row, part);
	case MKV_ROW_OBJECT:
		return with_rows(to, row->table, part);
	case MKV_ROW_MAP:
		return with_map(to, row, part);
	}
	return to;
}

static json_t *default_of(const struct mkv_row *row)
{
	if (row->kind == MKV_ROW_COUNT)
		return number(strtoull(row->default_value, NULL, 10));
	if (row->kind == MKV_ROW_BOOL)
		return json_boolean(row->default_value[0] == 't');
	return json_string(row->default_value);
}

static json_t *with_row(json_t *to, const struct mkv_row *row, bool part)
{
	if (row->doc)
		to = with(to, "description", json_string(row->doc));
	if (row->default_value && row->kind != MKV_ROW_LIST)
		to = with(to, "default", default_of(row));
	return with_kind(to, row, part);
}

/* `hardware` is either the name of a file or the mapping itself. */
static json_t *hardware_schema(const struct mkv_row *row, bool part)
{
	json_t *name = with_text(json_object(), row->table->rows);
	json_t *whole = json_pack("{ss}", "$ref", "#/$defs/hardware");
	if (part) {
		json_decref(whole);
		whole = with_rows(json_object(), row->table, true);
	}
	json_t *both = mkv_document_add(json_array(), name);
	both = mkv_document_add(both, whole);
	json_t *to = with(json_object(), "description", json_string(row->doc));
	return with(to, "anyOf", both);
}

static json_t *include_schema(void)
{
	return json_pack(
		"{ss s[ss] ss s{ss ss}}", "description",
		"Files, relative to this file, that define the values which this file "
		"does not define",
		"type", "string", "array", "pattern", "^[^/]", "items", "type",
		"string", "pattern", "^[^/]");
}

static json_t *with_required(json_t *to, const struct mkv_table *table)
{
	json_t *keys = json_array();
	for (const struct mkv_row *row = table->rows; row->kind; row++)
		if (row->required)
			keys = mkv_document_add(keys, json_string(row->key));
	return with(to, "required", keys);
}

static json_t *with_rows(json_t *to, const struct mkv_table *table, bool part)
{
	json_t *keys = json_object();
	if (table == &mkv_schema_recipe)
		keys = with(keys, "include", include_schema());
	for (const struct mkv_row *row = table->rows; row->kind; row++)
		keys = with(keys, row->key,
			    row->table == &mkv_schema_hardware
				    ? hardware_schema(row, part)
				    : with_row(json_object(), row, part));
	to = with(to, "type", json_string("object"));
	to = with(to, "additionalProperties", json_false());
	to = with(to, "properties", keys);
	return part ? to : with_required(to, table);
}

static json_t *definitions(void)
{
	json_t *to = json_object();
	to = with(to, "hardware",
		  with_rows(json_object(), &mkv_schema_hardware, false));
	to = with(to, "part",
		  with_rows(json_object(), &mkv_schema_recipe, true));
	return with(to, "whole",
		    with_rows(json_object(), &mkv_schema_recipe, false));
}

int mkv_schema_print_whole(const struct mkv_table *table, const char *title,
			   struct mkv_buf *ret, struct mkv_error *err)
{
	auto_json json_t *schema = json_pack(
		"{ss ss}", "$schema",
		"https://json-schema.org/draft/2020-12/schema", "title", title);
	schema = with_rows(schema, table, false);
	if (!schema)
		return mkv_oom(err);
	return mkv_json_dump(schema, ret, err);
}

int mkv_schema_print(struct mkv_buf *ret, struct mkv_error *err)
{
	auto_json json_t *schema =
		json_pack("{ss ss s{ss s[s]} s{ss} s{ss}}", "$schema",
			  "https://json-schema.org/draft/2020-12/schema",
			  "title", "An mkvbench recipe", "if", "type", "object",
			  "required", "include", "then", "$ref", "#/$defs/part",
			  "else", "$ref", "#/$defs/whole");
	schema = with(schema, "$defs", definitions());
	if (!schema)
		return mkv_oom(err);
	return mkv_json_dump(schema, ret, err);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/input/recipe/load.h"

static void plain_scalars_follow_the_core_schema(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum mkv_scalar scalar;
	} rows[] = {
		{"", MKV_SCALAR_NULL},	       {"~", MKV_SCALAR_NULL},
		{"null", MKV_SCALAR_NULL},     {"nULL", MKV_SCALAR_TEXT},
		{"true", MKV_SCALAR_BOOL},     {"False", MKV_SCALAR_BOOL},
		{"yes", MKV_SCALAR_TEXT},      {"on", MKV_SCALAR_TEXT},
		{"0", MKV_SCALAR_INTEGER},     {"-7", MKV_SCALAR_INTEGER},
		{"+7", MKV_SCALAR_INTEGER},    {"0x1F", MKV_SCALAR_INTEGER},
		{"0o17", MKV_SCALAR_INTEGER},  {"0x", MKV_SCALAR_TEXT},
		{"0o8", MKV_SCALAR_TEXT},      {"1_000", MKV_SCALAR_TEXT},
		{"1.5", MKV_SCALAR_FLOAT},     {".5", MKV_SCALAR_FLOAT},
		{"5.", MKV_SCALAR_FLOAT},      {"1e3", MKV_SCALAR_FLOAT},
		{"-.inf", MKV_SCALAR_FLOAT},   {".nan", MKV_SCALAR_FLOAT},
		{".", MKV_SCALAR_TEXT},	       {"1e", MKV_SCALAR_TEXT},
		{"-", MKV_SCALAR_TEXT},	       {"5MB", MKV_SCALAR_TEXT},
		{"52:54:00", MKV_SCALAR_TEXT}, {"2026-11-23", MKV_SCALAR_TEXT},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_node node = {.text = rows[i].text};
		assert_int_equal(mkv_node_scalar(&node), rows[i].scalar);
		node.quoted = true;
		assert_int_equal(mkv_node_scalar(&node), MKV_SCALAR_TEXT);
	}
}

static void integers_are_read_whole_or_not_at_all(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is;
		uint64_t value;
	} rows[] = {
		{"0", true, 0},
		{"0x7fffffff", true, 0x7fffffff},
		{"0o17", true, 15},
		{"18446744073709551615", true, UINT64_MAX},
		{"18446744073709551616", false, 0},
		{"-1", false, 0},
		{"1.0", false, 0},
		{"true", false, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_node node = {.text = rows[i].text};
		uint64_t value = 0;
		assert_int_equal(mkv_node_integer(&node, &value), rows[i].is);
		assert_int_equal(value, rows[i].value);
	}
}

/* Parses a text; appends to the diagnostics of `load`. */
static struct mkv_node *parse_yaml(struct mkv_recipe_loader *load,
				   const char *text)
{
	return mkv_yaml_parse(load, "x.yaml", "", text, strlen(text));
}

static void nodes_have_their_position(void **state)
{
	(void)state;
	struct mkv_diagnostics diagnostics = {0};
	struct mkv_recipe_loader load = {.diagnostics = &diagnostics};
	struct mkv_node *root =
		parse_yaml(&load, "a: 1\nb:\n  c: [x, 'y']\n\xc3\xa9: z\n");
	assert_non_null(root);
	const struct mkv_node *y = mkv_node_at(root, "b.c.1");
	assert_non_null(y);
	assert_string_equal(y->text, "y");
	assert_true(y->quoted);
	assert_int_equal(y->mark.line, 3);
	assert_int_equal(y->mark.column, 10);
	/* Columns count characters, not bytes. */
	const struct mkv_node *z = mkv_node_at(root, "\xc3\xa9");
	assert_int_equal(z->mark.column, 4);
	assert_null(mkv_node_at(root, "b.c.2"));
	assert_null(mkv_node_at(root, "b.c.-1"));
	assert_null(mkv_node_at(root, "a.b"));
	assert_int_equal(diagnostics.count, 0);
	mkv_arena_done(&load.arena);
}

static void many_values_are_refused_before_they_cost_much(void **state)
{
	(void)state;
	struct mkv_diagnostics diagnostics = {0};
	struct mkv_recipe_loader load = {.diagnostics = &diagnostics,
					 .nodes = MKV_RECIPE_NODES_MAX - 1};
	assert_null(parse_yaml(&load, "a: 1\n"));
	assert_int_equal(diagnostics.count, 1);
	assert_string_equal(diagnostics.items[0].message,
			    "too large: a recipe has at most 20000 values");
	mkv_diagnostics_done(&diagnostics);
	mkv_arena_done(&load.arena);
}

static void diagnostics_are_sorted_and_reported_once(void **state)
{
	(void)state;
	struct mkv_diagnostics diagnostics = {0};
	struct mkv_recipe_loader load = {.diagnostics = &diagnostics};
	static const struct mkv_mark marks[] = {
		{"b", 1, 1}, {"a", 10, 1}, {"a", 9, 2},
		{"a", 9, 1}, {"b", 1, 1},
	};
	for (size_t i = 0; i < 5; i++)
		mkv_diagnose(&load, marks[i], "no");
	mkv_diagnostics_sort(&diagnostics);
	assert_int_equal(diagnostics.count, 4);
	assert_int_equal(diagnostics.items[0].column, 1);
	assert_int_equal(diagnostics.items[1].column, 2);
	assert_int_equal(diagnostics.items[2].line, 10);
	assert_string_equal(diagnostics.items[3].file, "b");
	mkv_diagnostics_done(&diagnostics);
}

static void diagnostics_end_after_two_hundred(void **state)
{
	(void)state;
	struct mkv_diagnostics diagnostics = {0};
	struct mkv_recipe_loader load = {.diagnostics = &diagnostics};
	for (unsigned i = 1; i < 1000; i++)
		mkv_diagnose(&load, (struct mkv_mark){"a", i, 1}, "no");
	assert_int_equal(diagnostics.count, MKV_RECIPE_DIAGNOSTICS_MAX + 1);
	mkv_diagnostics_done(&diagnostics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_scalars_follow_the_core_schema),
		cmocka_unit_test(integers_are_read_whole_or_not_at_all),
		cmocka_unit_test(nodes_have_their_position),
		cmocka_unit_test(many_values_are_refused_before_they_cost_much),
		cmocka_unit_test(diagnostics_are_sorted_and_reported_once),
		cmocka_unit_test(diagnostics_end_after_two_hundred),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

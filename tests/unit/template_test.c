/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/template.h"

static struct mkv_template_fields parse(const char *text)
{
	struct mkv_template_fields fields = {0};
	struct mkv_error err;
	assert_int_equal(mkv_template_parse_fields(text, &fields, &err), 0);
	return fields;
}

static void assert_printed(const char *text, uint64_t number, const char *want)
{
	struct mkv_template_fields fields = parse("user=1000,item-id=3");
	struct mkv_error err;
	auto_buf struct mkv_buf got = {0};
	assert_int_equal(mkv_template_check(text, &fields, &err), 0);
	mkv_template_print(text, &fields, number, &got);
	assert_string_equal(got.data ? got.data : "", want);
}

static void fields_take_their_values_in_turn(void **state)
{
	(void)state;
	static const char path[] = "/orders/create/id/{user}";
	assert_printed(path, 0, "/orders/create/id/1");
	assert_printed(path, 999, "/orders/create/id/1000");
	assert_printed(path, 1000, "/orders/create/id/1");
	assert_printed("{user}{item-id} {n}", 4, "52 4");
	assert_printed("{n}", UINT64_C(20000000), "20000000");
	assert_printed("", 3, "");
}

static void braces_of_json_are_plain_text(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{\"productName\":\"tea\",\"price\":0.01}",
		"{}",
		"{ user }",
		"}",
		"{",
		"{user",
		"[{\"a\":{\"b\":{}}}]",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_printed(texts[i], 7, texts[i]);
	assert_printed("{\"id\":{user},\"n\":\"{n}\"}", 7,
		       "{\"id\":8,\"n\":\"7\"}");
}

static void two_braces_stand_for_one(void **state)
{
	(void)state;
	assert_printed("{{user}", 7, "{user}");
	assert_printed("a{{unknown}b", 7, "a{unknown}b");
	assert_printed("{{{user}", 7, "{8");
	assert_printed("{{{{user}", 7, "{{user}");
}

static void an_unknown_field_is_refused(void **state)
{
	(void)state;
	struct mkv_template_fields fields = parse("user=10");
	struct mkv_error err;
	static const char *const texts[] = {"{item}", "/a/{user}/{User}",
					    "{\"id\":{items}}"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(mkv_template_check(texts[i], &fields, &err),
				 -ENOENT);
	assert_string_equal(err.message,
			    "unknown field '{items}'; '{{' stands for a brace");
}

static void malformed_lists_of_fields_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} table[] = {
		{"user", "'user' is not NAME=COUNT"},
		{"user=", "'user=' is not NAME=COUNT"},
		{"user=1x", "'user=1x' is not NAME=COUNT"},
		{"user=-1", "'user=-1' is not NAME=COUNT"},
		{"user=9999999999999999999",
		 "'user=9999999999999999999' is not NAME=COUNT"},
		{"user=0", "the field 'user' has no values"},
		{"user=1,", "a comma ends the list of fields"},
		{"user=1,,b=1", "'' is not NAME=COUNT"},
		{"a=1,user=1,a=2", "the field 'a' is defined already"},
		{"n=5", "the field 'n' is defined already"},
		{"=5", "'' is not a name of 1 to 31 letters, digits, '_' and "
		       "'-'"},
		{"us er=5", "'us er' is not a name of 1 to 31 letters, digits, "
			    "'_' and '-'"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct mkv_template_fields fields = {0};
		struct mkv_error err;
		assert_true(mkv_template_parse_fields(table[i].text, &fields,
						      &err) < 0);
		assert_string_equal(err.message, table[i].message);
		assert_int_equal(err.kind, MKV_BAD_USAGE);
	}
}

static void fields_have_a_limit(void **state)
{
	(void)state;
	struct mkv_template_fields fields = {0};
	struct mkv_error err;
	for (int i = 0; i < MKV_TEMPLATE_FIELDS_MAX; i++) {
		char name[8];
		int size = snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(mkv_template_add_field(&fields, name,
							(size_t)size, 1, &err),
				 0);
	}
	assert_int_equal(mkv_template_add_field(&fields, "x", 1, 1, &err),
			 -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_take_their_values_in_turn),
		cmocka_unit_test(braces_of_json_are_plain_text),
		cmocka_unit_test(two_braces_stand_for_one),
		cmocka_unit_test(an_unknown_field_is_refused),
		cmocka_unit_test(malformed_lists_of_fields_are_refused),
		cmocka_unit_test(fields_have_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

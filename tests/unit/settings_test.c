/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "programs/lib/settings.h"

static int64_t number;
static const char *text;

static void values_are_read_within_limits(void **state)
{
	(void)state;
	static const struct {
		enum mkv_setting_kind kind;
		const char *value; /* NULL: unset */
		bool good;
		int64_t number;
	} table[] = {
		{MKV_SETTING_INTEGER, NULL, true, 7},
		{MKV_SETTING_INTEGER, "", true, 7},
		{MKV_SETTING_INTEGER, "5", true, 5},
		{MKV_SETTING_INTEGER, "4", false, 0},
		{MKV_SETTING_INTEGER, "10000000", true, 10000000},
		{MKV_SETTING_INTEGER, "10000001", false, 0},
		{MKV_SETTING_INTEGER, "99999999999999999999", false, 0},
		{MKV_SETTING_INTEGER, "-5", false, 0},
		{MKV_SETTING_INTEGER, "+5", false, 0},
		{MKV_SETTING_INTEGER, " 5", false, 0},
		{MKV_SETTING_INTEGER, "5 ", false, 0},
		{MKV_SETTING_INTEGER, "5B", false, 0},
		{MKV_SETTING_INTEGER, "0x10", false, 0},
		{MKV_SETTING_SIZE, "5MB", true, 5000000},
		{MKV_SETTING_SIZE, "5MiB", true, 5 * 1024 * 1024},
		{MKV_SETTING_SIZE, "140B", true, 140},
		{MKV_SETTING_SIZE, "140", true, 140},
		{MKV_SETTING_SIZE, "5mb", false, 0},
		{MKV_SETTING_SIZE, "MB", false, 0},
		{MKV_SETTING_SIZE, "9223372036854775807GiB", false, 0},
		{MKV_SETTING_SIZE, "5s", false, 0},
		{MKV_SETTING_DURATION, "250us", true, 250},
		{MKV_SETTING_DURATION, "5ms", true, 5000},
		{MKV_SETTING_DURATION, "1s", true, 1000000},
		{MKV_SETTING_DURATION, "1m", false, 0},
		{MKV_SETTING_WORD, "none", true, 0},
		{MKV_SETTING_WORD, "data", true, 1},
		{MKV_SETTING_WORD, "dat", false, 0},
		{MKV_SETTING_WORD, "none data", false, 0},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct mkv_service_setting rows[] = {
			{"TRIED", table[i].kind,
			 table[i].kind == MKV_SETTING_WORD ? "none" : "7", 5,
			 10000000, "none data", "", &number, NULL},
			{0}};
		struct mkv_error err;
		number = -1;
		assert_int_equal(table[i].value ? setenv("MKVBENCH_TRIED",
							 table[i].value, 1)
						: unsetenv("MKVBENCH_TRIED"),
				 0);
		assert_int_equal(mkv_settings_read(rows, &err) == 0,
				 table[i].good);
		assert_int_equal(number, table[i].good ? table[i].number : -1);
	}
	(void)unsetenv("MKVBENCH_TRIED");
}

static void texts_have_a_maximum_length(void **state)
{
	(void)state;
	const struct mkv_service_setting rows[] = {
		{"TRIED", MKV_SETTING_TEXT, NULL, 0, 4, NULL, "", NULL, &text},
		{0}};
	struct mkv_error err;
	assert_int_equal(mkv_settings_read(rows, &err), 0);
	assert_null(text);
	(void)setenv("MKVBENCH_TRIED", "four", 1);
	assert_int_equal(mkv_settings_read(rows, &err), 0);
	assert_string_equal(text, "four");
	(void)setenv("MKVBENCH_TRIED", "five!", 1);
	assert_int_equal(mkv_settings_read(rows, &err), -EINVAL);
	assert_non_null(strstr(err.message, "not text, 4 bytes"));
	(void)unsetenv("MKVBENCH_TRIED");
}

static void a_table_is_printed_with_the_largest_units(void **state)
{
	(void)state;
	static const struct mkv_service_setting rows[] = {
		{"A", MKV_SETTING_SIZE, "5MB", 0, 1024 * 1024, NULL, "a", NULL,
		 NULL},
		{"B", MKV_SETTING_DURATION, "0us", 1500, 2000000, NULL, "b",
		 NULL, NULL},
		{"C", MKV_SETTING_WORD, "x", 0, 0, "x y", "c", NULL, NULL},
		{0}};
	auto_buf struct mkv_buf into = {0};
	mkv_settings_print(rows, &into);
	assert_string_equal(into.data, "A\t5MB\t0 to 1MiB\ta\n"
				       "B\t0us\t1500us to 2s\tb\n"
				       "C\tx\tx or y\tc\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_within_limits),
		cmocka_unit_test(texts_have_a_maximum_length),
		cmocka_unit_test(a_table_is_printed_with_the_largest_units),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

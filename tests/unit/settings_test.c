/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/io.h"
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

static char directory[] = "/tmp/mkvbench-settings-XXXXXX";

static void write_file(const char *name, const char *content)
{
	char path[128];
	struct mkv_error err;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(
		mkv_write_file(path, 0644, content, strlen(content), &err), 0);
}

/* What SETTING is for `program` with overrides, environment and file. */
static const char *value_for(const char *program, const char *overrides,
			     const char *environment, const char *file)
{
	char path[128];
	struct mkv_error err;
	write_file("order.env", overrides);
	write_file("settings", file);
	(void)snprintf(path, sizeof(path), "%s/settings", directory);
	(void)setenv("MKVBENCH_SETTINGS", path, 1);
	(void)setenv("MKVBENCH_OVERRIDES_DIR", directory, 1);
	(void)setenv("MKVBENCH_TRIED", environment, 1);
	assert_int_equal(mkv_settings_load(program, &err), 0);
	return mkv_settings_text("TRIED", "default");
}

static void overrides_go_before_all_others(void **state)
{
	(void)state;
	static const struct {
		const char *program, *overrides, *environment, *file, *want;
	} table[] = {
		{"order", "TRIED=a", "b", "TRIED=c", "a"},
		{"order", "# TRIED=a\n\nOTHER=1\n", "b", "TRIED=c", "b"},
		{"order", "TRIED=\n", "b", "TRIED=c", "b"},
		{"order", "", "", "TRIED=c", "c"},
		{"order", "", "", "", "default"},
		{"payment", "TRIED=a", "b", "TRIED=c", "b"},
		{"order", "TRIED=a\\nb=\\\\n\n", "b", "", "a\nb=\\n"},
		{"order", "", "", "TRIED=a\\n", "a\\n"},
	};
	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_string_equal(
			value_for(table[i].program, table[i].overrides,
				  table[i].environment, table[i].file),
			table[i].want);
}

static void written_overrides_are_read_back(void **state)
{
	(void)state;
	static const char value[] = "A: \\n\nB: \\\\ \"#= ";
	auto_buf struct mkv_buf line = {0};
	mkv_settings_put_override(&line, "TRIED", value);
	assert_string_equal(value_for("order", line.data, "", ""), value);
}

static void malformed_overrides_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *content, *message;
	} table[] = {
		{"TRIED=a\\tb\n", "order.env': 'TRIED': a backslash precedes "
				  "neither 'n' nor a backslash"},
		{"TRIED=a\\", "'TRIED': a backslash precedes"},
		{"TRIED=a\nTRIED=b\n", "'TRIED' is set twice"},
		{"TRIED\n", "'TRIED' is not NAME=VALUE"},
	};
	const struct mkv_service_setting rows[] = {
		{"TRIED", MKV_SETTING_TEXT, NULL, 0, 4, NULL, "", NULL, &text},
		{0}};
	const struct mkv_service_setting *const tables[] = {rows, NULL};
	struct mkv_error err;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		write_file("order.env", table[i].content);
		assert_true(mkv_settings_load("order", &err) < 0);
		assert_int_equal(err.kind, MKV_BAD_USAGE);
		assert_non_null(strstr(err.message, table[i].message));
	}
	write_file("order.env", "ADDRESS_USER=1\nTRIET=1\n");
	assert_int_equal(mkv_settings_load("order", &err), 0);
	assert_true(mkv_settings_check_files(tables, &err) < 0);
	assert_non_null(
		strstr(err.message, "order.env': unknown setting 'TRIET'"));
	mkv_settings_done();
	(void)unsetenv("MKVBENCH_SETTINGS");
	(void)unsetenv("MKVBENCH_OVERRIDES_DIR");
	(void)unsetenv("MKVBENCH_TRIED");
	assert_int_equal(mkv_remove_tree(AT_FDCWD, directory, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_within_limits),
		cmocka_unit_test(texts_have_a_maximum_length),
		cmocka_unit_test(a_table_is_printed_with_the_largest_units),
		cmocka_unit_test(overrides_go_before_all_others),
		cmocka_unit_test(written_overrides_are_read_back),
		cmocka_unit_test(malformed_overrides_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "builder/input/recipe/units.h"

static void sizes_have_a_whole_number_and_a_unit(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int rc;
		uint64_t bytes;
	} rows[] = {
		{"0B", 0, 0},
		{"140B", 0, 140},
		{"5MB", 0, 5000000},
		{"2kB", 0, 2000},
		{"24GiB", 0, 24ULL << 30},
		{"1KiB", 0, 1024},
		{"3TiB", 0, 3ULL << 40},
		{"9223372036854775807B", 0, INT64_MAX},
		{"9223372036854775808B", -ERANGE, 0},
		{"8388608TiB", -ERANGE, 0},
		{"99999999999999999999999B", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"5", -EINVAL, 0},
		{"MB", -EINVAL, 0},
		{"-5MB", -EINVAL, 0},
		{"5 MB", -EINVAL, 0},
		{"5mb", -EINVAL, 0},
		{"5KB", -EINVAL, 0},
		{"5MBB", -EINVAL, 0},
		{"5.5MB", -EINVAL, 0},
		{"0x5MB", -EINVAL, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t bytes = 0;
		assert_int_equal(mkv_size_parse(rows[i].text, &bytes),
				 rows[i].rc);
		assert_int_equal(bytes, rows[i].bytes);
	}
}

static void durations_have_a_whole_number_and_a_unit(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int rc;
		int64_t ns;
	} rows[] = {
		{"80us", 0, 80000},	   {"0us", 0, 0},
		{"180s", 0, 180000000000}, {"1ns", 0, 1},
		{"20ms", 0, 20000000},	   {"3min", 0, 180000000000},
		{"1h", 0, 3600000000000},  {"2562048h", -ERANGE, 0},
		{"80", -EINVAL, 0},	   {"80\xc2\xb5s", -EINVAL, 0},
		{"1m", -EINVAL, 0},	   {"s", -EINVAL, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ns = 0;
		assert_int_equal(mkv_duration_parse(rows[i].text, &ns),
				 rows[i].rc);
		assert_int_equal(ns, rows[i].ns);
	}
}

static void measures_are_printed_in_the_largest_unit_that_divides(void **state)
{
	(void)state;
	char text[32];
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{0, "0B"},
		{140, "140B"},
		{5000000, "5MB"},
		{24ULL << 30, "24GiB"},
		{1024, "1KiB"},
		{1500, "1500B"},
		{UINT64_MAX, "18446744073709551615B"},
	};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		mkv_size_print(sizes[i].bytes, text);
		assert_string_equal(text, sizes[i].text);
	}
	mkv_duration_print(80000, text);
	assert_string_equal(text, "80us");
	mkv_duration_print(0, text);
	assert_string_equal(text, "0ns");
	mkv_duration_print(180000000000, text);
	assert_string_equal(text, "3min");
}

static void percentages_are_read_and_printed(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ppb;
	} rows[] = {
		{"5%", 50000000},	    {"0.1%", 1000000},
		{"100%", 1000000000},	    {"0%", 0},
		{"12.5%", 125000000},	    {"0.0000001%", 1},
		{"99.9999999%", 999999999},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ppb = -1;
		char text[32];
		assert_int_equal(mkv_percentage_parse(rows[i].text, &ppb), 0);
		assert_true(ppb == rows[i].ppb);
		mkv_percentage_print(ppb, text);
		assert_string_equal(text, rows[i].text);
	}
	static const char *const others[] = {
		"",    "%",   "5",    "5 %",   "-5%",	      "5%%",
		".5%", "5.%", "5,5%", "1000%", "0.00000001%", "0x5%"};
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		int64_t ppb;
		if (mkv_percentage_parse(others[i], &ppb) != -EINVAL)
			fail_msg("'%s' is accepted", others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_a_whole_number_and_a_unit),
		cmocka_unit_test(durations_have_a_whole_number_and_a_unit),
		cmocka_unit_test(
			measures_are_printed_in_the_largest_unit_that_divides),
		cmocka_unit_test(percentages_are_read_and_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

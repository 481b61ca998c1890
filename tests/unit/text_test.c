/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/text.h"

static void the_nearest_word_is_suggested(void **state)
{
	(void)state;
	static const char *const words[] = {"hosts",	  "images", "include",
					    "hypervisor", "time",   "vlan"};
	static const struct {
		const char *word, *expected;
	} rows[] = {
		{"host", "hosts"},	{"hosst", "hosts"},
		{"hsots", "hosts"},	{"imges", "images"},
		{"inclued", "include"}, {"hipervizor", "hypervisor"},
		{"tmie", "time"},	{"vlan", "vlan"},
		{"zzz", NULL},		{"", NULL},
		{"hostspot", "hosts"},	{"x", NULL},
		{"Vlan", "vlan"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = mkv_nearest(rows[i].word, words, 6);
		if (!rows[i].expected != !got ||
		    (got && strcmp(got, rows[i].expected) != 0))
			fail_msg("'%s' suggests '%s'", rows[i].word,
				 got ? got : "nothing");
	}
}

static void of_equally_near_words_the_first_is_suggested(void **state)
{
	(void)state;
	static const char *const words[] = {"abcx", "abcy"};
	assert_string_equal(mkv_nearest("abcz", words, 2), "abcx");
	assert_null(mkv_nearest("abcz", words, 0));
}

static void overlong_words_are_skipped(void **state)
{
	(void)state;
	char long_word[200];
	memset(long_word, 'w', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	const char *const words[] = {long_word, "word"};
	assert_null(mkv_nearest(long_word, words, 2));
	assert_string_equal(mkv_nearest("wrod", words, 2), "word");
}

static void sizes_are_readable(void **state)
{
	(void)state;
	static const struct {
		uint64_t size;
		const char *text;
	} rows[] = {
		{0, "0 B"},
		{512, "512 B"},
		{999, "999 B"},
		{1000, "1.0 kB"},
		{84100000, "84.1 MB"},
		{999949, "999.9 kB"},
		{999950, "1.0 MB"},
		{1200000000, "1.2 GB"},
		{UINT64_MAX, "18446.7 PB"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[16];
		mkv_size_text(rows[i].size, text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_word_is_suggested),
		cmocka_unit_test(of_equally_near_words_the_first_is_suggested),
		cmocka_unit_test(overlong_words_are_skipped),
		cmocka_unit_test(sizes_are_readable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

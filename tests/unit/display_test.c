/* SPDX-License-Identifier: MIT */
/* Texts for a terminal, and where they are truncated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "lib/display.h"
#include "lib/utf8.h"

static void control_sequences_are_replaced(void **state)
{
	static const struct {
		const char *text, *keep, *clean;
	} rows[] = {
		{"plain", "", "plain"},
		{"", "", ""},
		{"a\nb\tc", "", "a?b?c"},
		{"a\nb\tc\r", "\n\t", "a\nb\tc?"},
		{"\033[31mred\a\x7f", "", "?[31mred??"},
		{"\xc2\x9b"
		 "31m",
		 "", "?31m"}, /* C1: CSI */
		{"\x9b"
		 "31m",
		 "", "?31m"},			    /* one byte of it */
		{"h\xc3\xb6st", "", "h\xc3\xb6st"}, /* ö */
		{"\xe4\xb8\xad\xe6\x96\x87", "", "\xe4\xb8\xad\xe6\x96\x87"},
		{"cut\xe4\xb8", "", "cut??"},
		{"\xc0\xaf\xed\xa0\x80", "", "?????"}, /* overlong, surrogate */
		{"e\xcc\x81", "", "e\xcc\x81"},	       /* combining */
		{"a\xe2\x80\xae"
		 "b",
		 "", "a?b"}, /* writes backwards */
		{"a\xe2\x80\xa8"
		 "b",
		 "", "a?b"}, /* line separator */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];
		(void)snprintf(text, sizeof(text), "%s", rows[i].text);
		mkv_display_clean(text, rows[i].keep);
		if (strcmp(text, rows[i].clean) != 0)
			fail_msg("row %zu: '%s'", i, text);
	}
}

static void texts_are_cut_between_characters(void **state)
{
	static const struct {
		const char *text;
		size_t columns, bytes;
	} rows[] = {
		{"plain", 5, 5},
		{"plain", 4, 4},
		{"plain", 0, 0},
		{"h\xc3\xb6st", 2, 3},
		{"h\xc3\xb6st", 1, 1},
		{"\xe4\xb8\xad\xe6\x96\x87", 4, 6}, /* two columns each */
		{"\xe4\xb8\xad\xe6\x96\x87", 3, 3},
		{"\xe4\xb8\xad\xe6\x96\x87", 1, 0},
		{"e\xcc\x81x", 1, 3}, /* the accent stays with its letter */
		{"\xf0\x9f\x90\xa7!", 2, 4},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mkv_display_cut(rows[i].text, rows[i].columns) !=
		    rows[i].bytes)
			fail_msg(
				"row %zu: %zu bytes", i,
				mkv_display_cut(rows[i].text, rows[i].columns));
}

static void a_truncated_character_is_dropped(void **state)
{
	static const char *const rows[][2] = {
		{"", ""},
		{"abc", "abc"},
		{"ab\xc3", "ab"},
		{"ab\xc3\xb6", "ab\xc3\xb6"},
		{"ab\xe4\xb8", "ab"},
		{"ab\xf0\x9f\x90", "ab"},
		{"ab\xf0\x9f\x90\xa7", "ab\xf0\x9f\x90\xa7"},
		{"\x80\x80", "\x80\x80"}, /* not a character at all */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[16];
		(void)snprintf(text, sizeof(text), "%s", rows[i][0]);
		mkv_utf8_drop_cut(text);
		assert_string_equal(text, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_sequences_are_replaced),
		cmocka_unit_test(texts_are_cut_between_characters),
		cmocka_unit_test(a_truncated_character_is_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

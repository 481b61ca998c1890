/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "lib/cputext.h"

static void bytes_have_one_written_form(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *text;
	} rows[] = {
		{"AuthenticAMD", 12, "AuthenticAMD"},
		{"bhyve bhyve ", 12, "bhyve bhyve "},
		{"KVMKVMKVM\0\0\0", 12, "KVMKVMKVM"},
		{"KVM\0KVM\0KVM\0", 12, "KVM\\x00KVM\\x00KVM"},
		{"\0\0\0\0", 4, ""},
		{"    ", 4, "    "},
		{"\"q' #:\\", 7, "\"q' #:\\"},
		{"a\xc2\xae\n\x7f", 5, "a\\xc2\\xae\\x0a\\x7f"},
		/* A backslash is escaped if it would begin an escape sequence.
		 */
		{"\\x41", 4, "\\x5cx41"},
		{"\\xAF", 4, "\\x5cxAF"},
		{"\\x4", 3, "\\x4"},
		{"\\x4\xff", 4, "\\x4\\xff"},
		{"\\\\x41", 5, "\\\\x5cx41"},
		{"\\X41", 4, "\\X41"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[MKV_CPUTEXT_SIZE], same[MKV_CPUTEXT_SIZE];
		char bytes[MKV_CPUTEXT_BYTES_MAX] = {0};
		mkv_cputext_write(rows[i].bytes, rows[i].size, text);
		assert_string_equal(text, rows[i].text);
		size_t count = mkv_cputext_read(text, bytes, sizeof(bytes));
		assert_true(count <= rows[i].size);
		assert_memory_equal(bytes, rows[i].bytes, rows[i].size);
		assert_true(mkv_cputext_normalise(text, same));
		assert_string_equal(text, same);
	}
}

static void other_texts_for_the_same_bytes_become_that_form(void **state)
{
	char text[MKV_CPUTEXT_SIZE];
	(void)state;
	assert_true(mkv_cputext_normalise("\xc2\xae", text));
	assert_string_equal(text, "\\xc2\\xae");
	assert_true(mkv_cputext_normalise("\\x41\\xC2", text));
	assert_string_equal(text, "A\\xc2");
	assert_true(mkv_cputext_normalise("KVMKVMKVM\\x00\\x00\\x00", text));
	assert_string_equal(text, "KVMKVMKVM");
}

static void nothing_is_written_beyond_the_buffer(void **state)
{
	char bytes[64], text[MKV_CPUTEXT_SIZE], most[MKV_CPUTEXT_SIZE + 8];
	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	mkv_cputext_write(bytes, sizeof(bytes), text);
	assert_int_equal(strlen(text), MKV_CPUTEXT_SIZE - 1);
	assert_int_equal(mkv_cputext_read(text, bytes, 2), 48);
	assert_int_equal(mkv_cputext_read(text, NULL, 0), 48);
	(void)snprintf(most, sizeof(most), "%sa", text);
	assert_false(mkv_cputext_normalise(most, text));
}

static void texts_of_the_kernel_are_compared_byte_by_byte(void **state)
{
	(void)state;
	assert_true(mkv_cputext_is_shown("bhyve bhyve ", "bhyve bhyve "));
	assert_true(mkv_cputext_is_shown("  Shanghai  ", "Shanghai  "));
	assert_true(mkv_cputext_is_shown("CPU\\xae", "CPU\xae"));
	assert_true(mkv_cputext_is_shown("CPU\xc2\xae", "CPU\xc2\xae"));
	assert_true(mkv_cputext_is_shown("CPU\\x00more", "CPU"));
	assert_true(mkv_cputext_is_shown("", "06/55"));
	assert_false(mkv_cputext_is_shown("CPU", "CPU 2"));
	assert_false(mkv_cputext_is_shown("CPU\\xae", "CPU\\xae"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_have_one_written_form),
		cmocka_unit_test(
			other_texts_for_the_same_bytes_become_that_form),
		cmocka_unit_test(nothing_is_written_beyond_the_buffer),
		cmocka_unit_test(texts_of_the_kernel_are_compared_byte_by_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

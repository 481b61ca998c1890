/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/buf.h"

static void appends_add_up(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf buf = {0};
	mkv_buf_str(&buf, "one");
	mkv_buf_char(&buf, ' ');
	mkv_buf_printf(&buf, "%d %s", 2, "three");
	mkv_buf_add(&buf, "\0z", 2);
	mkv_buf_fill(&buf, 'x', 3);
	mkv_buf_add(&buf, NULL, 0);
	assert_int_equal(mkv_buf_check(&buf, &err), 0);
	assert_int_equal(buf.size, 16);
	assert_memory_equal(buf.data, "one 2 three\0zxxx\0", 17);
}

static void growing_keeps_the_content(void **state)
{
	(void)state;
	auto_buf struct mkv_buf buf = {0};
	for (unsigned i = 0; i < 100000; i++)
		mkv_buf_printf(&buf, "%u,", i % 10);
	assert_int_equal(buf.size, 200000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(buf.data[2 * i], '0' + i % 10);
	assert_int_equal(buf.data[buf.size], '\0');
}

static void extended_bytes_are_zero(void **state)
{
	(void)state;
	auto_buf struct mkv_buf buf = {0};
	mkv_buf_fill(&buf, 0x7f, 1000);
	buf.size = 10;
	const char *at = mkv_buf_extend(&buf, 500);
	assert_non_null(at);
	assert_ptr_equal(at, buf.data + 10);
	for (size_t i = 0; i <= 500; i++)
		assert_int_equal(at[i], 0);
	assert_int_equal(buf.size, 510);
}

static void a_failed_append_is_remembered_and_harmless(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf buf = {0};
	mkv_buf_str(&buf, "kept");
	assert_null(mkv_buf_extend(&buf, SIZE_MAX));
	assert_true(buf.failed);
	mkv_buf_str(&buf, "lost");
	mkv_buf_printf(&buf, "%d", 1);
	assert_string_equal(buf.data, "kept");
	assert_int_equal(mkv_buf_check(&buf, &err), -ENOMEM);
	assert_string_equal(err.message, "out of memory");
	assert_null(mkv_buf_take(&buf));
	assert_false(buf.failed);
	assert_int_equal(buf.size, 0);
}

static void taking_empties(void **state)
{
	(void)state;
	struct mkv_buf buf = {0};
	auto_free char *empty = mkv_buf_take(&buf);
	assert_string_equal(empty, "");
	mkv_buf_str(&buf, "text");
	auto_free char *text = mkv_buf_take(&buf);
	assert_string_equal(text, "text");
	assert_null(buf.data);
	mkv_buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_add_up),
		cmocka_unit_test(growing_keeps_the_content),
		cmocka_unit_test(extended_bytes_are_zero),
		cmocka_unit_test(a_failed_append_is_remembered_and_harmless),
		cmocka_unit_test(taking_empties),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "lib/error.h"

static void codes_are_returned_negative(void **state)
{
	(void)state;
	static const struct {
		int code, expected;
	} rows[] = {{ENOENT, -ENOENT}, {-ENOENT, -ENOENT}, {0, -EIO}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err;
		assert_int_equal(
			mkv_fail(&err, MKV_BAD_RECIPE, rows[i].code, "x"),
			rows[i].expected);
		assert_int_equal(err.code, -rows[i].expected);
		assert_int_equal(err.kind, MKV_BAD_RECIPE);
	}
}

/* Wrapping an error keeps its suggestion; the next error clears it. */
static void a_suggestion_belongs_to_one_error(void **state)
{
	(void)state;
	struct mkv_error err;
	char long_word[MKV_ERROR_SUGGESTION_MAX + 1];
	memset(long_word, 'w', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	int rc = mkv_fail(&err, MKV_BAD_USAGE, EINVAL, "unknown 'verfy'");
	assert_string_equal(err.suggestion, "");
	rc = mkv_error_suggest(&err, rc, "verify");
	rc = mkv_wrap(&err, rc, "receipt");
	assert_int_equal(rc, -EINVAL);
	assert_string_equal(err.suggestion, "verify");
	rc = mkv_fail(&err, MKV_FAILED, EIO, "other");
	assert_int_equal(mkv_error_suggest(&err, rc, NULL), -EIO);
	assert_string_equal(err.suggestion, "");
	assert_int_equal(mkv_error_suggest(&err, rc, long_word), -EIO);
	assert_string_equal(err.suggestion, "");
}

static void percent_m_is_the_code(void **state)
{
	(void)state;
	struct mkv_error err;
	errno = EPERM;
	(void)mkv_fail(&err, MKV_FAILED, ENOSPC, "write '%s': %m", "f");
	assert_string_equal(err.message, "write 'f': No space left on device");
}

static void context_is_prepended(void **state)
{
	(void)state;
	struct mkv_error err;
	int rc = mkv_fail(&err, MKV_FAILED, EIO, "inner");
	rc = mkv_wrap(&err, rc, "middle %d", 1);
	rc = mkv_wrap(&err, rc, "outer");
	assert_int_equal(rc, -EIO);
	assert_string_equal(err.message, "outer: middle 1: inner");
	assert_int_equal(err.code, EIO);
}

static void long_messages_are_truncated(void **state)
{
	(void)state;
	struct {
		struct mkv_error err;
		char guard[16];
	} held = {.guard = "guard"};
	char text[4000];
	memset(text, 't', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	(void)mkv_fail(&held.err, MKV_FAILED, EIO, "%s", text);
	assert_int_equal(strlen(held.err.message), MKV_ERROR_MESSAGE_MAX - 1);
	(void)mkv_wrap(&held.err, -1, "short");
	assert_memory_equal(held.err.message, "short: ttt", 10);
	(void)mkv_wrap(&held.err, -1, "%s", text);
	assert_int_equal(strlen(held.err.message), MKV_ERROR_MESSAGE_MAX - 1);
	assert_string_equal(held.guard, "guard");
}

static void kinds_have_the_promised_status(void **state)
{
	(void)state;
	assert_int_equal(mkv_exit_status(MKV_FAILED), 1);
	assert_int_equal(mkv_exit_status(MKV_BAD_USAGE), 2);
	assert_int_equal(mkv_exit_status(MKV_BAD_RECIPE), 2);
	assert_int_equal(mkv_exit_status(MKV_HOST_CANNOT), 3);
	assert_int_equal(mkv_exit_status(MKV_UNVERIFIED), 4);
	assert_int_equal(mkv_exit_status((enum mkv_error_kind)99), 1);
}

static void an_allocation_failure_has_a_message(void **state)
{
	(void)state;
	struct mkv_error err;
	assert_int_equal(mkv_oom(&err), -ENOMEM);
	assert_string_equal(err.message, "out of memory");
	assert_int_equal(err.kind, MKV_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_returned_negative),
		cmocka_unit_test(a_suggestion_belongs_to_one_error),
		cmocka_unit_test(percent_m_is_the_code),
		cmocka_unit_test(context_is_prepended),
		cmocka_unit_test(long_messages_are_truncated),
		cmocka_unit_test(kinds_have_the_promised_status),
		cmocka_unit_test(an_allocation_failure_has_a_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

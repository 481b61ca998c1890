/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "programs/lib/http_range.h"

enum {
	WHOLE = MKV_HTTP_RANGE_WHOLE,
	PART = MKV_HTTP_RANGE_PART,
	NONE = MKV_HTTP_RANGE_UNSATISFIABLE,
};

static const struct {
	const char *value;
	uint64_t file_size;
	int kind;
	uint64_t first, size; /* of a part */
} cases[] = {
	/* RFC 9110, section 14.1.2, with its file of 10,000 bytes. */
	{"bytes=0-499", 10000, PART, 0, 500},
	{"bytes=500-999", 10000, PART, 500, 500},
	{"bytes=-500", 10000, PART, 9500, 500},
	{"bytes=9500-", 10000, PART, 9500, 500},
	{"bytes=0-0", 10000, PART, 0, 1},
	{"bytes=9999-9999", 10000, PART, 9999, 1},
	{"bytes=0-", 10000, PART, 0, 10000},
	/* Ends behind the file's. */
	{"bytes=9999-10000", 10000, PART, 9999, 1},
	{"bytes=1-999999999999999999", 10000, PART, 1, 9999},
	{"bytes=-20000", 10000, PART, 0, 10000},
	{"BYTES=1-2", 10000, PART, 1, 2},
	/* Nothing of it is in the file. */
	{"bytes=10000-", 10000, NONE, 0, 0},
	{"bytes=10000-10001", 10000, NONE, 0, 0},
	{"bytes=-0", 10000, NONE, 0, 0},
	{"bytes=0-", 0, NONE, 0, 0},
	{"bytes=-1", 0, NONE, 0, 0},
	/* Ignored: absent, several, another unit, malformed. */
	{NULL, 10000, WHOLE, 0, 0},
	{"", 10000, WHOLE, 0, 0},
	{"bytes", 10000, WHOLE, 0, 0},
	{"bytes=", 10000, WHOLE, 0, 0},
	{"bytes=-", 10000, WHOLE, 0, 0},
	{"bytes=1", 10000, WHOLE, 0, 0},
	{"bytes=0-0,-1", 10000, WHOLE, 0, 0},
	{"bytes=2-1", 10000, WHOLE, 0, 0},
	{"bytes=1-2x", 10000, WHOLE, 0, 0},
	{"bytes=+1-2", 10000, WHOLE, 0, 0},
	{"bytes= 1-2", 10000, WHOLE, 0, 0},
	{"bytes=--1", 10000, WHOLE, 0, 0},
	{"items=0-1", 10000, WHOLE, 0, 0},
	{"bytes=0-9999999999999999999", 10000, WHOLE, 0, 0},
	{"bytes=18446744073709551616-", 10000, WHOLE, 0, 0},
};

static void a_range_is_read_as_the_rfc_defines_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mkv_http_range range;
		int kind = (int)mkv_http_range_read(cases[i].value,
						    cases[i].file_size, &range);
		if (kind != cases[i].kind)
			fail_msg("'%s': %d, not %d", cases[i].value, kind,
				 cases[i].kind);
		assert_int_equal(range.first, cases[i].first);
		assert_int_equal(range.size, kind == PART ? cases[i].size
							  : cases[i].file_size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_is_read_as_the_rfc_defines_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "builder/cmd/options.h"

/* The results of parsing a command line with a table of three options. */
struct parsed {
	const char *output, *key, *hosts;
	bool force, done;
	int operands, rc;
	char *argv[8];
	struct mkv_error err;
};

static void parse_line(const char *line, char *copy, struct parsed *ret)
{
	const struct mkv_option table[] = {
		{"--output", "DIR", "a directory", &ret->output, NULL},
		{"--key", "FILE", "a file", &ret->key, NULL},
		{"--hosts", "NAME[,NAME]", "a list", &ret->hosts, NULL},
		{"--force", NULL, "a switch", NULL, &ret->force},
		{0},
	};
	const struct mkv_usage usage = {"X ...", "Does.", table, 1, 2};
	int argc = 0;
	(void)strcpy(copy, line);
	for (char *word, *rest = copy; (word = strsep(&rest, " "));)
		ret->argv[argc++] = word;
	ret->rc = mkv_options_parse("verb", &usage, argc, ret->argv,
				    &ret->operands, &ret->done, &ret->err);
}

static void options_and_operands_come_in_any_order(void **state)
{
	static const struct {
		const char *line, *output, *first, *second;
		bool force;
	} rows[] = {
		{"v a", NULL, "a", NULL, false},
		{"v --output o a", "o", "a", NULL, false},
		{"v --output=o a b", "o", "a", "b", false},
		{"v a --output o b --force", "o", "a", "b", true},
		{"v --output= a", "", "a", NULL, false},
		{"v --output --force a", "--force", "a", NULL, false},
		{"v -- --force", NULL, "--force", NULL, false},
		{"v a -", NULL, "a", "-", false},
		{"v --output=a=b x", "a=b", "x", NULL, false},
		{"v --force x --force", NULL, "x", NULL, true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char copy[128];
		struct parsed p = {0};
		parse_line(rows[i].line, copy, &p);
		if (p.rc < 0)
			fail_msg("%s: %s", rows[i].line, p.err.message);
		assert_int_equal(p.operands, rows[i].second ? 2 : 1);
		assert_string_equal(p.argv[0], rows[i].first);
		if (rows[i].second)
			assert_string_equal(p.argv[1], rows[i].second);
		assert_int_equal(p.force, rows[i].force);
		if (rows[i].output)
			assert_string_equal(p.output, rows[i].output);
		else
			assert_null(p.output);
	}
}

static void mistakes_are_usage_errors_with_a_hint(void **state)
{
	static const struct {
		const char *line, *message;
	} rows[] = {
		{"v", "usage: mkvbench verb [OPTIONS] X ..."},
		{"v a b c", "usage: mkvbench verb [OPTIONS] X ..."},
		{"v --outptu o a", "did you mean '--output'?"},
		{"v --forced a", "did you mean '--force'?"},
		{"v --out o a", "unknown option '--out'"},
		{"v -f a", "unknown option '-f'"},
		{"v --zzzzzzzz a", "unknown option '--zzzzzzzz'; `mkvbench"},
		{"v a --output", "--output needs a value (DIR)"},
		{"v --force=1 a", "--force takes no value"},
		{"v --output a --output b x", "verb: --output was given twice"},
		{"v --output=a x --output=a", "verb: --output was given twice"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char copy[128];
		struct parsed p = {0};
		parse_line(rows[i].line, copy, &p);
		assert_int_equal(p.rc, -EINVAL);
		assert_int_equal(p.err.kind, MKV_BAD_USAGE);
		if (!strstr(p.err.message, rows[i].message))
			fail_msg("%s: %s", rows[i].line, p.err.message);
	}
}

static void repeated_lists_are_joined(void **state)
{
	static const struct {
		const char *line, *joined;
	} rows[] = {
		{"v --hosts a --hosts=b c --hosts d,e", "a,b,d,e"},
		{"v --hosts a c", "a"},
		{"v c -- --hosts", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char copy[128];
		struct parsed p = {0};
		parse_line(rows[i].line, copy, &p);
		if (p.rc < 0)
			fail_msg("%s: %s", rows[i].line, p.err.message);
		if (rows[i].joined)
			assert_string_equal(p.hosts, rows[i].joined);
		else
			assert_null(p.hosts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_come_in_any_order),
		cmocka_unit_test(mistakes_are_usage_errors_with_a_hint),
		cmocka_unit_test(repeated_lists_are_joined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

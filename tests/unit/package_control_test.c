/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "builder/rootfs/package/control.h"

/* Order of deb-version(7) and of dpkg --compare-versions. */
static void versions_compare_as_dpkg_does(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{"1.0", "1.0", 0},
		{"1.0-0", "1.0", 0},
		{"0:1.0", "1.0", 0},
		{"1.0~rc1", "1.0", -1},
		{"1.0~~", "1.0~", -1},
		{"1.0a", "1.0", 1},
		{"1.0+b1", "1.0", 1},
		{"1.0+b1", "1.0a", 1},
		{"1.10", "1.9", 1},
		{"1.09", "1.9", 0},
		{"1:0.1", "2.0", 1},
		{"2.41-12+deb13u4", "2.41-12", 1},
		{"6.12.9-1", "6.12.10-1", -1},
		{"1.0-1~bpo1", "1.0-1", -1},
		{"1.0-1-2", "1.0-1-10", -1},
		{"1a", "1b", -1},
		{"1.2.3", "1.2.3.0", -1},
		{"7", "7~", 1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int there = mkv_version_compare(rows[i].a, rows[i].b);
		int back = mkv_version_compare(rows[i].b, rows[i].a);
		if ((there > 0) - (there < 0) != rows[i].order ||
		    (back > 0) - (back < 0) != -rows[i].order)
			fail_msg("%s and %s: %d, %d", rows[i].a, rows[i].b,
				 there, back);
	}
}

static void relations_are_read_alternative_by_alternative(void **state)
{
	(void)state;
	static const char text[] = "libc6 (>= 2.34), python3:any | perl,\n"
				   " init-system-helpers (>= 1.54~), x (<< 2)";
	static const struct {
		const char *name, *op, *version;
		char separator;
	} rows[] = {
		{"libc6", ">=", "2.34", ','},
		{"python3", "", "", ','},
		{"perl", "", "", '|'},
		{"init-system-helpers", ">=", "1.54~", ','},
		{"x", "<<", "2", ','},
	};
	const char *at = text;
	struct mkv_relation relation;
	char separator;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(mkv_relation_next(&at, &relation, &separator));
		assert_int_equal(relation.name_length, strlen(rows[i].name));
		assert_memory_equal(relation.name, rows[i].name,
				    relation.name_length);
		assert_string_equal(relation.op, rows[i].op);
		assert_string_equal(relation.version, rows[i].version);
		assert_int_equal(separator, rows[i].separator);
	}
	assert_false(mkv_relation_next(&at, &relation, &separator));
}

static void relations_hold_for_their_versions_only(void **state)
{
	(void)state;
	static const struct {
		const char *relation, *name, *version;
		bool holds;
	} rows[] = {
		{"a (<< 2)", "a", "1", true}, {"a (<< 2)", "a", "2", false},
		{"a (<= 2)", "a", "2", true}, {"a (= 2)", "a", "2-1", false},
		{"a (>= 2)", "a", "2", true}, {"a (>> 2)", "a", "2", false},
		{"a", "a", "1", true},	      {"a", "ab", "1", false},
		{"ab", "a", "1", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *at = rows[i].relation;
		struct mkv_relation relation;
		char separator;
		assert_true(mkv_relation_next(&at, &relation, &separator));
		assert_int_equal(mkv_relation_holds(&relation, rows[i].name,
						    rows[i].version),
				 rows[i].holds);
	}
}

static void malformed_paragraphs_are_refused(void **state)
{
	(void)state;
#define GOOD "Package: aa\nVersion: 1\nArchitecture: all\n"
	static const char *const texts[] = {
		"",
		"Package: aa\n",
		"Package: ../aa\nVersion: 1\nArchitecture: all\n",
		"Package: a\nVersion: 1\nArchitecture: all\n",
		"Package: aa\nVersion: /1\nArchitecture: all\n",
		"Package: aa\nVersion: 1\nArchitecture: ../x\n",
		GOOD "no field\n",
		GOOD "package: bb\n",
		GOOD "\nPackage: bb\n",
		GOOD "Na me: x\n",
	};
	struct mkv_error err = {0};
	struct mkv_control control;
	assert_int_equal(mkv_control_parse(GOOD, strlen(GOOD), &control, &err),
			 0);
	mkv_control_done(&control);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (mkv_control_parse(texts[i], strlen(texts[i]), &control,
				      &err) != -EBADMSG)
			fail_msg("accepted: %s", texts[i]);
	assert_int_equal(mkv_control_parse(GOOD "X: a\0b\n",
					   sizeof(GOOD "X: a\0b\n") - 1,
					   &control, &err),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_compare_as_dpkg_does),
		cmocka_unit_test(relations_are_read_alternative_by_alternative),
		cmocka_unit_test(relations_hold_for_their_versions_only),
		cmocka_unit_test(malformed_paragraphs_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

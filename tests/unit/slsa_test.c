/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "builder/evidence/attest/statement.h"
#include "lib/dsse.h"
#include "tests/unit/attest_fixture.h"

static json_t *make_statement(void)
{
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	json_t *json = NULL;
	if (mkv_slsa_statement(&fixture_inputs, &text, &err) < 0 ||
	    mkv_json_load(text.data, text.size, &json, &err) < 0)
		fail_msg("%s", err.message);
	return json;
}

/* The string at a path like "a.b", from an object. */
static const char *text_at(const json_t *json, const char *path)
{
	auto_free char *copy = strdup(path);
	char *rest = copy, *key;
	while ((key = strsep(&rest, ".")))
		json = json_object_get(json, key);
	return json_string_value(json);
}

static void the_shape_is_that_of_slsa_v1(void **state)
{
	(void)state;
	auto_json json_t *s = make_statement();
	assert_string_equal(text_at(s, "_type"), MKV_STATEMENT_TYPE);
	assert_string_equal(text_at(s, "predicateType"),
			    "https://slsa.dev/provenance/v1");
	assert_string_equal(text_at(s, "predicate.buildDefinition.buildType"),
			    "urn:mkvbench:build:1");
	assert_string_equal(
		text_at(s,
			"predicate.buildDefinition.externalParameters.scenario"),
		"kvm");
	assert_non_null(text_at(s, "predicate.runDetails.builder.id"));
	assert_int_equal(json_array_size(json_object_get(s, "subject")), 4);
}

static const struct dependency {
	const char *name, *uri, *digest;
} dependencies[] = {
	{"recipe", NULL, "a1"},
	{"index/trixie/main", NULL, "d2"},
	{"chrony", "pkg:deb/debian/chrony@4.6.1-3?arch=amd64&distro=trixie",
	 "c1"},
	{"libstdc++6",
	 "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=trixie",
	 "c2"},
	{"tar",
	 "pkg:deb/debian/tar@1:1.35%2Bdfsg~rc1-3?arch=amd64&distro=trixie",
	 "c3"},
	{"overlay/common", NULL, "e1"},
	{"registry.invalid/tool:1", NULL, "f1"},
};

static void every_input_is_a_dependency_by_digest(void **state)
{
	(void)state;
	auto_json json_t *s = make_statement();
	const json_t *list =
		json_object_get(json_object_get(json_object_get(s, "predicate"),
						"buildDefinition"),
				"resolvedDependencies");
	size_t count = sizeof(dependencies) / sizeof(dependencies[0]);
	assert_int_equal(json_array_size(list), count);
	for (size_t i = 0; i < count; i++) {
		const json_t *d = json_array_get(list, i);
		const struct dependency *want = &dependencies[i];
		assert_string_equal(text_at(d, "name"), want->name);
		if (want->uri)
			assert_string_equal(text_at(d, "uri"), want->uri);
		else
			assert_null(text_at(d, "uri"));
		assert_int_equal(strlen(text_at(d, "digest.sha256")), 64);
		assert_memory_equal(text_at(d, "digest.sha256"), want->digest,
				    2);
	}
}

static void equal_inputs_give_equal_bytes(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf a = {0}, b = {0};
	assert_int_equal(mkv_slsa_statement(&fixture_inputs, &a, &err), 0);
	assert_int_equal(mkv_slsa_statement(&fixture_inputs, &b, &err), 0);
	assert_string_equal(a.data, b.data);
}

static void a_manifest_that_is_not_json_is_an_error(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	struct mkv_attest_inputs inputs = fixture_inputs;
	inputs.manifest_size--;
	assert_true(mkv_slsa_statement(&inputs, &text, &err) < 0);
	assert_int_equal(text.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shape_is_that_of_slsa_v1),
		cmocka_unit_test(every_input_is_a_dependency_by_digest),
		cmocka_unit_test(equal_inputs_give_equal_bytes),
		cmocka_unit_test(a_manifest_that_is_not_json_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "builder/evidence/attest/statement.h"
#include "lib/dsse.h"
#include "tests/unit/attest_fixture.h"

static json_t *make_statement(const struct mkv_attest_inputs *inputs,
			      const struct mkv_lock_set *set)
{
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	json_t *json = NULL;
	if (mkv_spdx_statement(inputs, set, &text, &err) < 0 ||
	    mkv_json_load(text.data, text.size, &json, &err) < 0)
		fail_msg("%s", err.message);
	return json;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void a_document_holds_the_packages_of_its_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < fixture_lock.n_sets; i++) {
		const struct mkv_lock_set *set = &fixture_lock.sets[i];
		auto_json json_t *s = make_statement(&fixture_inputs, set);
		const json_t *doc = json_object_get(s, "predicate");
		const json_t *packages = json_object_get(doc, "packages");
		const json_t *relations = json_object_get(doc, "relationships");
		assert_string_equal(text_of(s, "predicateType"),
				    MKV_PREDICATE_SPDX);
		assert_string_equal(text_of(doc, "spdxVersion"), "SPDX-2.3");
		assert_string_equal(
			text_of(json_object_get(doc, "creationInfo"),
				"created"),
			"2025-11-23T00:00:00Z");
		assert_int_equal(json_array_size(packages), set->count + 1);
		assert_int_equal(json_array_size(relations), set->count + 1);
		for (size_t p = 1; p <= set->count; p++) {
			const struct mkv_lock_package *deb =
				&fixture_lock.packages[set->packages[p - 1]];
			const json_t *one = json_array_get(packages, p);
			assert_string_equal(text_of(one, "name"), deb->name);
			assert_string_equal(text_of(one, "versionInfo"),
					    deb->version);
			assert_string_equal(
				text_of(one, "SPDXID"),
				text_of(json_array_get(relations, p),
					"relatedSpdxElement"));
		}
	}
}

static void the_subjects_are_the_files_of_the_image(void **state)
{
	(void)state;
	auto_json json_t *dut =
		make_statement(&fixture_inputs, &fixture_sets[0]);
	auto_json json_t *oci =
		make_statement(&fixture_inputs, &fixture_sets[1]);
	const json_t *list = json_object_get(dut, "subject");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(text_of(json_array_get(list, 0), "name"),
			    "dut/disk.raw");
	list = json_object_get(oci, "subject");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(text_of(json_array_get(list, 0), "name"),
			    "oci/postgres");
}

static void the_namespace_follows_the_content(void **state)
{
	(void)state;
	struct mkv_artifact other = {(char *)"dut/disk.raw", {{0xff}}, 4096};
	struct mkv_attest_inputs inputs = fixture_inputs;
	inputs.artifacts = &other;
	inputs.n_artifacts = 1;
	auto_json json_t *a = make_statement(&fixture_inputs, &fixture_sets[0]);
	auto_json json_t *b = make_statement(&fixture_inputs, &fixture_sets[0]);
	auto_json json_t *c = make_statement(&inputs, &fixture_sets[0]);
	const char *key = "documentNamespace";
	const char *first = text_of(json_object_get(a, "predicate"), key);
	assert_string_equal(first,
			    text_of(json_object_get(b, "predicate"), key));
	assert_string_not_equal(first,
				text_of(json_object_get(c, "predicate"), key));
	assert_null(strchr(first, '#'));
}

static void a_set_with_an_index_out_of_range_is_an_error(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	size_t indexes[] = {3};
	const struct mkv_lock_set set = {
		.name = (char *)"image/dut", .packages = indexes, .count = 1};
	assert_true(mkv_spdx_statement(&fixture_inputs, &set, &text, &err) < 0);
	assert_int_equal(text.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_holds_the_packages_of_its_set),
		cmocka_unit_test(the_subjects_are_the_files_of_the_image),
		cmocka_unit_test(the_namespace_follows_the_content),
		cmocka_unit_test(a_set_with_an_index_out_of_range_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

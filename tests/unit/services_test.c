/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json.h"
#include "programs/lib/linpack.h"
#include "programs/lib/route.h"
#include "programs/lib/trace_queue.h"
#include "programs/lib/tracestate.h"

static void linpack_finds_the_solution(void **state)
{
	(void)state;
	static const unsigned orders[] = {1, 2, 3, 10, 100, 200, 333};
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		struct mkv_linpack_result result;
		struct mkv_error err;
		assert_int_equal(mkv_linpack_run(orders[i], &result, &err), 0);
		assert_true(result.residual < MKV_LINPACK_RESIDUAL_MAX);
		assert_true(fabs(result.sum - orders[i]) < 1e-6 * orders[i]);
	}
}

static void linpack_refuses_orders_out_of_range(void **state)
{
	(void)state;
	struct mkv_linpack_result result;
	struct mkv_error err;
	assert_int_equal(mkv_linpack_run(0, &result, &err), -EINVAL);
	assert_int_equal(
		mkv_linpack_run(MKV_LINPACK_ORDER_MAX + 1, &result, &err),
		-EINVAL);
}

static void factors_solve_a_system_worked_by_hand(void **state)
{
	(void)state;
	/* Column-major; the first pivot is off the diagonal. */
	double a[9] = {1, 4, 2, 2, 5, 1, 3, 6, 9};
	double b[3] = {1 + 4 + 9, 4 + 10 + 18, 2 + 2 + 27}; /* x = 1, 2, 3 */
	unsigned pivots[3];
	assert_int_equal(mkv_dgefa(a, 3, 3, pivots), 0);
	assert_int_equal(pivots[0], 1);
	mkv_dgesl(a, 3, 3, pivots, b);
	for (unsigned i = 0; i < 3; i++)
		assert_true(fabs(b[i] - (i + 1)) < 1e-12);
}

static void a_singular_matrix_is_reported(void **state)
{
	(void)state;
	double a[4] = {1, 2, 2, 4};
	unsigned pivots[2];
	assert_int_equal(mkv_dgefa(a, 2, 2, pivots), 2);
}

static const struct mkv_http_route routes[] = {
	{"GET", "/users/{id}", NULL, false},
	{"PUT", "/users/{id}", NULL, false},
	{"GET", "/payment/transfer/id/{id}/amount/{amount}", NULL, false},
	{0},
};

static void routes_match_whole_paths(void **state)
{
	(void)state;
	static const struct {
		const char *method, *path;
		enum mkv_route_match match;
		size_t route;
		int64_t first, second;
	} table[] = {
		{"GET", "/users/7", MKV_ROUTE_FOUND, 0, 7, 0},
		{"PUT", "/users/7", MKV_ROUTE_FOUND, 1, 7, 0},
		{"GET", "/users/999999999999999999", MKV_ROUTE_FOUND, 0,
		 999999999999999999, 0},
		{"GET", "/payment/transfer/id/3/amount/250", MKV_ROUTE_FOUND, 2,
		 3, 250},
		{"POST", "/users/7", MKV_ROUTE_OTHER_METHOD, 0, 0, 0},
		{"GET", "/users/1000000000000000000", MKV_ROUTE_NONE, 0, 0, 0},
		{"GET", "/users/", MKV_ROUTE_NONE, 0, 0, 0},
		{"GET", "/users/-1", MKV_ROUTE_NONE, 0, 0, 0},
		{"GET", "/users/7/", MKV_ROUTE_NONE, 0, 0, 0},
		{"GET", "/users/7x", MKV_ROUTE_NONE, 0, 0, 0},
		{"GET", "/users", MKV_ROUTE_NONE, 0, 0, 0},
		{"GET", "", MKV_ROUTE_NONE, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		size_t route = 99;
		int64_t parameters[MKV_HTTP_PARAMETERS_MAX] = {0};
		assert_int_equal(mkv_route_find(routes, table[i].method,
						table[i].path, &route,
						parameters),
				 table[i].match);
		if (table[i].match != MKV_ROUTE_FOUND)
			continue;
		assert_int_equal(route, table[i].route);
		assert_int_equal(parameters[0], table[i].first);
		assert_int_equal(parameters[1], table[i].second);
	}
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void traceparents_are_parsed_as_w3c_defines(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} table[] = {
		{"00-" TRACE "-" SPAN "-01", true},
		{"00-" TRACE "-" SPAN "-00", true},
		{"cc-" TRACE "-" SPAN "-01-more", true},
		{"00-" TRACE "-" SPAN "-01-more", false},
		{"ff-" TRACE "-" SPAN "-01", false},
		{"00-00000000000000000000000000000000-" SPAN "-01", false},
		{"00-" TRACE "-0000000000000000-01", false},
		{"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", false},
		{"00-" TRACE "-" SPAN "-0", false},
		{"00-" TRACE "_" SPAN "-01", false},
		{"", false},
		{NULL, false},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct mkv_trace_context context;
		char back[56];
		assert_int_equal(mkv_traceparent_parse(table[i].text, &context),
				 table[i].good);
		if (!table[i].good || i > 1)
			continue;
		mkv_traceparent_print(&context, back);
		assert_string_equal(back, table[i].text);
	}
}

static void tracestates_are_passed_on_in_complete_entries(void **state)
{
	(void)state;
	char long_one[521], cut[512];
	/* 40 entries of 12 bytes and a comma: 39 fit into 512 bytes. */
	for (unsigned i = 0; i < 40; i++)
		(void)snprintf(long_one + i * 13, 14, "key%02u=value%s",
			       i % 100, "x,");
	long_one[519] = '\0';
	memcpy(cut, long_one, 39 * 13 - 1);
	cut[39 * 13 - 1] = '\0';
	const struct {
		const char *headers[3];
		const char *passed_on;
	} rows[] = {
		{{NULL}, ""},
		{{""}, ""},
		{{"a=1,b=2"}, "a=1,b=2"},
		{{"a=1 ,  b=2"}, "a=1 ,  b=2"},
		{{"a=1", "b=2"}, "a=1,b=2"},
		{{"a=1", "", "b=2"}, "a=1,b=2"},
		{{"a=1", "b=\x7f"}, ""},
		{{"a=\x1f", "b=2"}, ""},
		{{"a=\xc3\xa4", "b=2"}, ""},
		{{"a=1", "b=\t2"}, ""},
		{{long_one}, cut},
		{{long_one, "a=1"}, cut},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_tracestate read = {0};
		for (size_t j = 0; j < 3 && rows[i].headers[j]; j++)
			mkv_tracestate_add(&read, rows[i].headers[j]);
		assert_string_equal(read.text, rows[i].passed_on);
	}
}

static void spans_inherit_the_trace_and_name_their_parent(void **state)
{
	(void)state;
	struct mkv_span root, child;
	mkv_span_begin(&root, "root", MKV_SPAN_SERVER, NULL);
	mkv_span_begin(&child, "child", MKV_SPAN_CLIENT, &root.context);
	assert_memory_equal(root.context.trace_id, child.context.trace_id, 16);
	assert_memory_equal(root.context.span_id, child.parent_id, 8);
	assert_memory_not_equal(root.context.span_id, child.context.span_id, 8);
	assert_true(child.start_ns >= root.start_ns);
}

static void otlp_json_is_json_with_hex_ids_and_text_integers(void **state)
{
	(void)state;
	struct mkv_trace_resource resource = {
		.items = {{"service.name", "a \"quoted\" name"}}, .count = 1};
	struct mkv_span span;
	struct mkv_error err;
	auto_buf struct mkv_buf text = {0};
	json_t *document = NULL;
	mkv_span_begin(&span, "GET /users/{id}", MKV_SPAN_SERVER, NULL);
	mkv_span_number(&span, "http.response.status_code", 200);
	mkv_span_text(&span, "key", "value");
	span.duration_ns = 1500;
	mkv_otlp_json(&resource, &span, 1, &text);
	assert_int_equal(mkv_json_load(text.data, text.size, &document, &err),
			 0);
	const char *trace_id, *start, *end, *status, *name;
	assert_int_equal(
		json_unpack(
			document,
			"{s[{s{s[{s{ss}}]},s[{s[{ss,ss,ss,s[{s{ss}}*]*}]}]}]}",
			"resourceSpans", "resource", "attributes", "value",
			"stringValue", &name, "scopeSpans", "spans", "traceId",
			&trace_id, "startTimeUnixNano", &start,
			"endTimeUnixNano", &end, "attributes", "value",
			"intValue", &status),
		0);
	assert_string_equal(name, "a \"quoted\" name");
	assert_int_equal(strlen(trace_id), 32);
	assert_int_equal(strtoll(end, NULL, 10) - strtoll(start, NULL, 10),
			 1500);
	assert_string_equal(status, "200");
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linpack_finds_the_solution),
		cmocka_unit_test(linpack_refuses_orders_out_of_range),
		cmocka_unit_test(factors_solve_a_system_worked_by_hand),
		cmocka_unit_test(a_singular_matrix_is_reported),
		cmocka_unit_test(routes_match_whole_paths),
		cmocka_unit_test(traceparents_are_parsed_as_w3c_defines),
		cmocka_unit_test(tracestates_are_passed_on_in_complete_entries),
		cmocka_unit_test(spans_inherit_the_trace_and_name_their_parent),
		cmocka_unit_test(
			otlp_json_is_json_with_hex_ids_and_text_integers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

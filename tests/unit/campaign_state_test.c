/* SPDX-License-Identifier: MIT */
/* The state of a conductor, and the screen that shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "builder/cmd/run_print.h"
#include "builder/run/campaign/ready.h"
#include "builder/run/campaign/state.h"

static int parse(const char *text, struct mkv_state *ret, struct mkv_error *err)
{
	json_t *document = NULL;
	assert_int_equal(mkv_json_load(text, strlen(text), &document, err), 0);
	return mkv_state_parse(document, ret, err);
}

static const char good[] =
	"{\"contract_sha256\":\"ab\",\"boot_id\":\"x\",\"host\":\"collector\","
	"\"run\":\"01-2-kvm\",\"attempt\":2,\"phase\":\"measured\","
	"\"phases\":[],\"progress\":{\"sent\":3},\"error\":null,"
	"\"spans\":{\"expected\":null,\"received\":66,\"dropped\":0},"
	"\"hosts\":{\"order\":{\"boot_id\":\"b\",\"receipt\":\"pass\"},"
	"\"user\":{}},\"free_bytes\":1,\"realtime_ns\":17}";

static void test_state_is_read(void **unused)
{
	(void)unused;
	struct mkv_error err;
	auto_state struct mkv_state state = {0};
	assert_int_equal(parse(good, &state, &err), 0);
	assert_string_equal(state.contract_sha256, "ab");
	assert_string_equal(state.run, "01-2-kvm");
	assert_int_equal(state.attempt, 2);
	assert_true(mkv_state_is_working(&state));
	assert_null(state.error);
	assert_int_equal(state.spans_received, 66);
	assert_int_equal(state.spans_expected, -1);
	assert_int_equal(state.realtime_ns, 17);
	assert_int_equal(state.n_hosts, 2);
	for (size_t i = 0; i < 2; i++) {
		bool is_order = strcmp(state.hosts[i].name, "order") == 0;
		assert_int_equal(state.hosts[i].boot_id != NULL, is_order);
		assert_int_equal(state.hosts[i].receipt != NULL, is_order);
	}
}

/* Each replaces one member of the good state. */
static void test_wrong_states_are_refused(void **unused)
{
	(void)unused;
	static const char *const rows[][2] = {
		{"\"contract_sha256\":\"ab\"", "\"contract_sha256\":7"},
		{"\"run\":\"01-2-kvm\"", "\"run\":[]"},
		{"\"attempt\":2", "\"attempt\":-1"},
		{"\"attempt\":2", "\"attempt\":1e3"},
		{"\"phase\":\"measured\"", "\"phase\":null"},
		{"\"realtime_ns\":17", "\"realtime_ns\":\"now\""},
		{"\"hosts\":{", "\"hosts\":7,\"others\":{"},
		{"\"boot_id\":\"b\"", "\"boot_id\":{}"},
		{"\"receipt\":\"pass\"", "\"receipt\":1"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err;
		auto_state struct mkv_state state = {0};
		char text[sizeof(good) + 64];
		const char *at = strstr(good, rows[i][0]);
		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good),
			       good, rows[i][1], at + strlen(rows[i][0]));
		assert_true(parse(text, &state, &err) < 0);
		assert_null(state.document);
	}
}

/* The conductor passes on what a program printed. */
static void test_an_error_may_have_lines(void **unused)
{
	(void)unused;
	struct mkv_error err;
	auto_state struct mkv_state state = {0};
	assert_int_equal(
		parse("{\"contract_sha256\":\"ab\",\"run\":\"01-1-a\","
		      "\"attempt\":1,\"phase\":\"failed\",\"hosts\":{},"
		      "\"error\":\"first\\nsecond\",\"realtime_ns\":1}",
		      &state, &err),
		0);
	assert_string_equal(state.error, "first\nsecond");
}

static void test_idle_conductor_does_not_work(void **unused)
{
	(void)unused;
	static const char *const ended[] = {"idle", "complete", "failed"};
	for (size_t i = 0; i < 3; i++) {
		struct mkv_state state = {.phase = ended[i]};
		assert_false(mkv_state_is_working(&state));
	}
	struct mkv_state state = {.phase = "drain"};
	assert_true(mkv_state_is_working(&state));
}

/* What keeps a run from starting, host by host. */
static void test_obstacles_are_named(void **unused)
{
	(void)unused;
	static const char *const guests[] = {"order"};
	struct mkv_contract_host promised[] = {
		{.name = "machine",
		 .guests = {(const char **)(uintptr_t)guests, 1}},
		{.name = "order"},
		{.name = "user"},
	};
	const struct mkv_contract contract = {.hosts = promised, .n_hosts = 3};
	char used[] = "old";
	char *ids[] = {used};
	const struct mkv_boots boots = {.ids = {ids, 1}};
	static const struct {
		struct mkv_state_host order, user;
		bool fresh;
		const char *obstacles;
	} rows[] = {
		{{"order", "a", "pass"}, {"user", "b", "pass"}, true, ""},
		{{"order", "old", "pass"}, {"user", "b", "pass"}, false, ""},
		{{"order", "old", "pass"},
		 {"user", "b", "pass"},
		 true,
		 "order: not booted since its last run"},
		{{"order", "a", "warn"},
		 {"user", NULL, NULL},
		 true,
		 "order: receipt 'warn', user: no answer"},
		{{"order", "a", NULL},
		 {"other", "b", "pass"},
		 false,
		 "order: receipt 'none', user: no answer"},
		{{"order", "a", "broken"},
		 {"user", "b", "fail"},
		 false,
		 "order: receipt 'broken', user: receipt 'fail'"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_state_host hosts[] = {rows[i].order, rows[i].user};
		const struct mkv_state state = {.hosts = hosts, .n_hosts = 2};
		auto_buf struct mkv_buf text = {0};
		mkv_ready_print_obstacles(&contract, &state,
					  rows[i].fresh ? &boots : NULL, &text);
		assert_string_equal(text.data ? text.data : "",
				    rows[i].obstacles);
	}
}

static void test_screen_is_fit_for_a_terminal(void **unused)
{
	(void)unused;
	struct mkv_error err;
	auto_json json_t *status = NULL;
	auto_buf struct mkv_buf text = {0};
	static const char json[] =
		"{\"campaign\":\"study\",\"trial\":true,\"done\":3,\"total\":44,"
		"\"run\":\"01-2-kvm\",\"arm\":\"kvm\",\"block\":1,\"blocks\":11,"
		"\"attempt\":1,\"phase\":\"mea\\u001b[31msured\",\"left_s\":3700,"
		"\"rate_asked\":20,\"progress\":{\"phase\":\"measured\",\"sent\":50,"
		"\"total\":150,\"failed\":0,\"rate_achieved\":\"19.99\","
		"\"latency_ns\":{\"p50\":12300000,\"p99\":40100000},"
		"\"late_ns\":{\"p99\":80000,\"max\":400000}},"
		"\"spans\":{\"received\":1050,\"dropped\":0},"
		"\"receipts\":{\"order\":\"pass\",\"user\":\"silent\"}}";
	assert_int_equal(mkv_json_load(json, strlen(json), &status, &err), 0);
	mkv_run_print_screen(status, &text);
	assert_string_equal(
		text.data,
		"study (a trial): 3 of 44 runs; about 1 h 1 min left\n"
		"  run        01-2-kvm, attempt 1 (block 1 of 11)\n"
		"  phase      mea?[31msured\n"
		"  requests   50 of 150 sent, 0 failed (measured)\n"
		"  rate       19.99 of 20 requests per second\n"
		"  latency    p50 12.30 ms, p99 40.10 ms\n"
		"  lateness   p99 0.080 ms, maximum 0.400 ms\n"
		"  spans      1050 received, 0 dropped\n"
		"  receipts   order pass, user silent\n");
}

/* Members of other types must not end the program. */
static void test_screen_of_nonsense(void **unused)
{
	(void)unused;
	struct mkv_error err;
	static const char *const rows[] = {
		"{}",
		"{\"campaign\":7,\"done\":\"x\",\"progress\":[],\"spans\":7,"
		"\"receipts\":{\"a\":7}}",
		"{\"progress\":{\"latency_ns\":[],\"late_ns\":null},"
		"\"spans\":{\"received\":\"many\"}}",
	};
	for (size_t i = 0; i < 3; i++) {
		auto_json json_t *status = NULL;
		auto_buf struct mkv_buf text = {0};
		assert_int_equal(
			mkv_json_load(rows[i], strlen(rows[i]), &status, &err),
			0);
		mkv_run_print_screen(status, &text);
		assert_non_null(strstr(text.data, "runs"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_is_read),
		cmocka_unit_test(test_wrong_states_are_refused),
		cmocka_unit_test(test_an_error_may_have_lines),
		cmocka_unit_test(test_idle_conductor_does_not_work),
		cmocka_unit_test(test_obstacles_are_named),
		cmocka_unit_test(test_screen_is_fit_for_a_terminal),
		cmocka_unit_test(test_screen_of_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

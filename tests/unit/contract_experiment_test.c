/* SPDX-License-Identifier: MIT */
/* The contract's experiment: a whole one, and one mistake at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "lib/contract.h"

static const char whole[] =
	"{\"mkvbench_contract\":1,\"name\":\"x\",\"scenario\":\"docker\","
	"\"verify\":{\"mode\":\"gate\"},"
	"\"hosts\":{\"order\":{\"image\":\"dut\",\"role\":\"order\"},"
	"\"a\":{\"image\":\"dut\",\"role\":\"twin\"},"
	"\"b\":{\"image\":\"dut\",\"role\":\"twin\"}},"
	"\"images\":{\"dut\":{\"platform\":\"metal\"}},"
	"\"experiment\":{"
	"\"request\":{\"method\":\"POST\",\"role\":\"order\",\"port\":8080,"
	"\"path\":\"/orders/create/id/{user}?n={n}\","
	"\"headers\":{\"Content-Type\":\"application/json\"},"
	"\"body\":\"{\\\"price\\\":0.01,\\\"user\\\":{user},\\\"x\\\":{}}\","
	"\"status\":200},"
	"\"fields\":{\"user\":1000,\"item\":20},"
	"\"rate\":20,\"arrivals\":\"jittered\",\"connections\":64,"
	"\"timeout_ns\":30000000000,\"warm_up\":5000,\"measured\":10000,"
	"\"services\":{\"order\":{\"role\":\"order\","
	"\"unit\":\"mkvbench-order.service\",\"port\":8080,"
	"\"health\":\"/healthz\",\"clean_up\":[\"mkvbench-order\","
	"\"--clean-up\"],\"vary\":[\"DATA_DIR\",\"FSYNC\"],\"spans\":true},"
	"\"cache\":{\"role\":\"twin\",\"unit\":\"cache.service\",\"port\":1,"
	"\"health\":\"/\"}}}}";

static void reads_a_whole_experiment(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	if (mkv_contract_parse(whole, strlen(whole), &contract, &err) < 0)
		fail_msg("%s", err.message);
	const struct mkv_contract_experiment *e = &contract->experiment;
	assert_true(e->promised);
	assert_string_equal(e->request.method, "POST");
	assert_string_equal(e->request.role, "order");
	assert_int_equal(e->request.port, 8080);
	assert_string_equal(e->request.path, "/orders/create/id/{user}?n={n}");
	assert_int_equal(e->request.status, 200);
	assert_int_equal(e->request.headers.count, 1);
	assert_string_equal(e->request.headers.items[0].key, "Content-Type");
	assert_int_equal(e->n_fields, 2);
	assert_string_equal(e->fields[0].name, "item");
	assert_int_equal(e->fields[1].count, 1000);
	assert_int_equal(e->rate, 20);
	assert_string_equal(e->arrivals, "jittered");
	assert_int_equal(e->connections, 64);
	assert_true(e->timeout_ns == INT64_C(30000000000));
	assert_int_equal(e->warm_up, 5000);
	assert_int_equal(e->measured, 10000);
	assert_int_equal(e->n_services, 2);
	const struct mkv_contract_experiment_service *order =
		mkv_contract_find_experiment_service(contract, "order");
	assert_ptr_equal(order, &e->services[1]);
	assert_string_equal(order->unit, "mkvbench-order.service");
	assert_int_equal(order->clean_up.count, 2);
	assert_true(mkv_contract_strings_have(&order->vary, "FSYNC"));
	assert_true(order->has_spans);
	assert_false(e->services[0].has_spans);
	assert_int_equal(e->services[0].vary.count, 0);
	assert_null(mkv_contract_find_experiment_service(contract, "user"));
}

static void a_role_that_two_hosts_have_is_not_one_host(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	assert_int_equal(
		mkv_contract_parse(whole, strlen(whole), &contract, &err), 0);
	assert_string_equal(mkv_contract_find_role(contract, "order")->name,
			    "order");
	assert_null(mkv_contract_find_role(contract, "twin"));
	assert_null(mkv_contract_find_role(contract, "user"));
}

static void says_where_the_mistake_is(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *message;
	} cases[] = {
		{"\"rate\":20,", "", "experiment.rate: missing"},
		{"\"rate\":20", "\"rate\":0",
		 "experiment.rate: must be between 1"},
		{"\"rate\":20", "\"rate\":20,\"think\":1",
		 "experiment.think: unknown member"},
		{"jittered", "uniform",
		 "experiment.arrivals: unknown value 'uniform'"},
		{"\"POST\"", "\"TRACE\"",
		 "experiment.request.method: unknown value 'TRACE'"},
		{"\"role\":\"order\",\"port\":8080,\"path\"",
		 "\"role\":\"twin\",\"port\":8080,\"path\"",
		 "experiment.request.role: not exactly one host is 'twin'"},
		{"\"port\":8080,\"path\"", "\"port\":65536,\"path\"",
		 "experiment.request.port: must be between"},
		{"/orders/create/id/{user}", "orders/create/id/{user}",
		 "experiment.request.path: not the path of a URL"},
		{"/orders/create/id/{user}", "/orders/a b",
		 "experiment.request.path: not the path of a URL"},
		{"/orders/create/id/{user}", "/orders/{usr}",
		 "experiment.request.path: unknown field '{usr}'"},
		{":{user},", ":{usr},",
		 "experiment.request.body: unknown field '{usr}'"},
		{"application/json", "application/{usr}",
		 "experiment.request.headers: unknown field '{usr}'"},
		{"Content-Type", "Content Type",
		 "'Content Type' is not a header's name"},
		{"Content-Type", "content-length",
		 "'content-length' is set by the load generator"},
		{"\"status\":200", "\"status\":99",
		 "experiment.request.status: must be between"},
		{"\"user\":1000", "\"user\":0",
		 "experiment.fields.user: must be between 1"},
		{"\"item\":20", "\"n\":20",
		 "experiment.fields: the field 'n' is defined already"},
		{"\"item\":20", "\"it em\":20",
		 "experiment.fields: 'it em' is not a name"},
		{"\"FSYNC\"", "\"fsync\"", "'fsync' is not a setting's name"},
		{"\"role\":\"twin\",\"unit\"", "\"role\":\"none\",\"unit\"",
		 "no host has 'none', the role of 'cache'"},
		{"\"timeout_ns\":30000000000", "\"timeout_ns\":3600000000000",
		 "experiment.timeout_ns: must be between"},
		{"\"measured\":10000", "\"measured\":0",
		 "experiment.measured: must be between 1"},
		{"\"spans\":true", "\"spans\":1",
		 "experiment.services.order.spans: must be a boolean"},
		{"[\"mkvbench-order\",", "[7,",
		 "experiment.services.order.clean_up: must be a string"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = strstr(whole, cases[i].from);
		assert_non_null(at);
		auto_buf struct mkv_buf text = {0};
		mkv_buf_add(&text, whole, (size_t)(at - whole));
		mkv_buf_str(&text, cases[i].to);
		mkv_buf_str(&text, at + strlen(cases[i].from));
		struct mkv_error err = {0};
		struct mkv_contract *contract = NULL;
		int rc = mkv_contract_parse(text.data, text.size, &contract,
					    &err);
		if (rc == 0 || !strstr(err.message, cases[i].message))
			fail_msg("case %zu: '%s', not '%s'", i, err.message,
				 cases[i].message);
		assert_null(contract);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_whole_experiment),
		cmocka_unit_test(a_role_that_two_hosts_have_is_not_one_host),
		cmocka_unit_test(says_where_the_mistake_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

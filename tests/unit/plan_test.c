/* SPDX-License-Identifier: MIT */
/* The reader of plans: a whole plan, and one mistake at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <cmocka.h>

#include "lib/io.h"
#include "lib/plan.h"

static void read_seed(const char *path, struct mkv_buf *ret)
{
	struct mkv_error err = {0};
	if (mkv_read_file(AT_FDCWD, path, MKV_PLAN_LIMIT_BYTES, ret, &err) < 0)
		fail_msg("%s", err.message);
}

static void reads_a_whole_plan(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	auto_plan struct mkv_plan *plan = NULL;
	read_seed("tests/fuzz/plan/plan.json", &text);
	if (mkv_plan_parse(text.data, text.size, &plan, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(plan->name, "study");
	assert_true(plan->seed == 20231130);
	assert_true(plan->is_trial);
	assert_string_equal(plan->scale, "0.002");
	assert_true(plan->boots_each_run);
	assert_int_equal(plan->n_arms, 3);
	const struct mkv_plan_arm *again =
		mkv_plan_find_arm(plan, "bare-metal-again");
	assert_string_equal(again->same_as, "bare-metal");
	assert_string_equal(again->appliance, "bare-metal");
	assert_false(again->is_baseline);
	assert_true(mkv_plan_find_arm(plan, "bare-metal")->is_baseline);
	assert_int_equal(again->settings.count, 1);
	assert_string_equal(again->settings.services[0].name, "payment");
	assert_string_equal(again->settings.services[0].settings.items[0].value,
			    "50us");
	assert_int_equal(plan->load.rate, 20);
	assert_int_equal(plan->load.measured, 20);
	assert_true(plan->load.seed == -1);
	assert_false(plan->load.has_request);
	assert_true(plan->limits.rate.ppb == 1000000);
	assert_true(plan->analysis.delta.ppb == 50000000);
	assert_int_equal(plan->limits.attempts, 2);
	assert_int_equal(plan->n_runs, 6);
	const struct mkv_plan_run *run = mkv_plan_find_run(plan, "02-2-kvm");
	assert_ptr_equal(run, &plan->runs[4]);
	assert_string_equal(plan->arms[run->arm].name, "kvm");
	assert_true(run->seed == 11);
	assert_null(mkv_plan_find_run(plan, "02-1-kvm"));
	assert_null(mkv_plan_find_arm(plan, "docker"));
}

static void reads_a_request_of_the_campaign(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	auto_plan struct mkv_plan *plan = NULL;
	read_seed("tests/fuzz/plan/request.json", &text);
	if (mkv_plan_parse(text.data, text.size, &plan, &err) < 0)
		fail_msg("%s", err.message);
	assert_true(plan->load.has_request);
	assert_string_equal(plan->load.request.method, "GET");
	assert_string_equal(plan->load.request.role, "payment");
	assert_string_equal(plan->load.request.path, "/payment/{user}");
	assert_null(plan->load.request.body);
	assert_false(plan->is_trial);
	assert_false(plan->boots_each_run);
}

static void refuses_every_prefix(void **state)
{
	(void)state;
	auto_buf struct mkv_buf text = {0};
	read_seed("tests/fuzz/plan/plan.json", &text);
	for (size_t size = 0; size < text.size - 1; size++) {
		struct mkv_error err = {0};
		struct mkv_plan *plan = NULL;
		assert_true(mkv_plan_parse(text.data, size, &plan, &err) < 0);
		assert_null(plan);
	}
}

static void says_where_the_mistake_is(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *message;
	} cases[] = {
		{"\"mkvbench_plan\":1", "\"mkvbench_plan\":2",
		 "mkvbench_plan: must be between 1 and 1"},
		{"\"seed\":20231130", "\"seed\":9007199254740992",
		 "seed: must be between 0 and 9007199254740991"},
		{"\"seed\":20231130", "\"seed\":1.5",
		 "seed: must be an integer"},
		{"\"boot\":\"each-run\"", "\"boot\":\"never\"",
		 "boot: unknown value 'never'"},
		{"\"boot\":", "\"boots\":", "boots: unknown member"},
		{"\"trial\":true", "\"trial\":false",
		 "trial: only a plan of scale 1 is no trial"},
		{",\"trial\":true", "", "trial: missing"},
		{"\"0.002\"", "\"0.0020\"", "scale: not a decimal fraction"},
		{"\"0.002\"", "\"0\"", "scale: must be more than 0"},
		{"\"0.002\"", "\"1\"",
		 "trial: only a plan of scale 1 is no trial"},
		{"\"delta\":\"0.05\"", "\"delta\":\"5%\"",
		 "analysis.delta: not a decimal fraction"},
		{"\"delta\":\"0.05\"", "\"delta\":0.05",
		 "analysis.delta: must be a string, is a real"},
		{"\"attempts\":2", "\"attempts\":0",
		 "limits.attempts: must be between 1"},
		{"\"baseline\":true", "\"baseline\":false",
		 "arms: 0 arms are the baseline"},
		{"\"baseline\":false", "\"baseline\":true",
		 "repeats 'bare-metal', but has other factors"},
		{"\"same_as\":\"bare-metal\"", "\"same_as\":\"kvm\"",
		 "repeats 'kvm', but has other factors"},
		{"\"same_as\":\"bare-metal\"", "\"same_as\":\"docker\"",
		 "repeats 'docker', which is not an arm of its own"},
		{"\"same_as\":\"bare-metal\"",
		 "\"same_as\":\"bare-metal-again\"",
		 "repeats 'bare-metal-again', which is not an arm of its own"},
		{"\"same_as\":null,", "", "same_as: missing"},
		{"{\"SLEEP\":\"50us\"}", "{\"SLEEP\":\"60us\"}",
		 "repeats 'bare-metal', but has other factors"},
		{"{\"SLEEP\":\"50us\"}", "{\"sleep\":\"50us\"}",
		 "settings.payment: 'sleep' is not a setting's name"},
		{"{\"SLEEP\":\"50us\"}", "{\"SLEEP\":50}",
		 "settings.payment.SLEEP: must be a string"},
		{"\"tracing\":\"otlp\"", "\"tracing\":\"on\"",
		 "tracing: unknown value 'on'"},
		{"\"id\":\"01-1-kvm\"", "\"id\":\"01-2-kvm\"",
		 "run 0 must have the id '01-1-kvm', not '01-2-kvm'"},
		{"\"id\":\"01-1-kvm\"", "\"id\":\"../1-kvm\"",
		 "run 0 must have the id '01-1-kvm', not '../1-kvm'"},
		{"\"slot\":1", "\"slot\":2", "run 0 must be slot 1 of block 1"},
		{"\"block\":2", "\"block\":1",
		 "run 3 must be slot 1 of block 2"},
		{"\"arm\":\"kvm\"", "\"arm\":\"xen\"",
		 "runs[0].arm: no arm 'xen'"},
		{"\"arm\":\"bare-metal\",\"block\":1,\"id\":\"01-2-bare-metal\"",
		 "\"arm\":\"kvm\",\"block\":1,\"id\":\"01-2-kvm\"",
		 "block 1 has arm 'kvm' twice"},
		{"\"kvm\":{", "\"k--vm\":{", "not a valid name of an arm"},
		{"\"warm_up\":10", "\"warm_up\":10,\"seed\":1",
		 "load.seed: unknown member"},
		{"\"warm_up\":10", "\"warm_up\":10,\"request\":{}",
		 "load.request.method: missing"},
		{",{\"arm\":\"bare-metal-again\",\"block\":2,\"id\":\"02-3-bare-"
		 "metal-again\",\"seed\":12,\"slot\":3}",
		 "", "5 runs are not whole blocks of 3 arms"},
	};
	auto_buf struct mkv_buf whole = {0};
	read_seed("tests/fuzz/plan/plan.json", &whole);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = strstr(whole.data, cases[i].from);
		if (!at)
			fail_msg("case %zu: no %s", i, cases[i].from);
		auto_buf struct mkv_buf text = {0};
		mkv_buf_add(&text, whole.data, (size_t)(at - whole.data));
		mkv_buf_str(&text, cases[i].to);
		mkv_buf_str(&text, at + strlen(cases[i].from));
		struct mkv_error err = {0};
		struct mkv_plan *plan = NULL;
		int rc = mkv_plan_parse(text.data, text.size, &plan, &err);
		if (rc == 0 || !strstr(err.message, cases[i].message))
			fail_msg("case %zu: '%s', not '%s'", i, err.message,
				 cases[i].message);
		assert_null(plan);
	}
}

static void a_run_s_id_is_never_a_path(void **state)
{
	(void)state;
	static const struct {
		const char *id;
		bool is_id;
	} cases[] = {
		{"01-1-kvm", true},    {"99-64-kvm-docker", true},
		{"1-1-kvm", false},    {"001-1-kvm", false},
		{"01--kvm", false},    {"01-1-", false},
		{"01-1-../x", false},  {"01-1-a/b", false},
		{"01-1-kvm-", false},  {"01-1-k--vm", false},
		{"01-1-Kvm", false},   {"", false},
		{"01-1-kvm\n", false}, {"01-123-kvm", false},
		{"01-1-kvm.2", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (mkv_plan_is_run_id(cases[i].id) != cases[i].is_id)
			fail_msg("'%s'", cases[i].id);
}

static void a_fraction_has_one_notation(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ppb;
	} valid[] = {
		{"0", 0},
		{"1", 1000000000},
		{"0.05", 50000000},
		{"0.001", 1000000},
		{"0.5", 500000000},
		{"0.000000001", 1},
		{"0.999999999", 999999999},
	};
	for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++) {
		int64_t ppb = -1;
		char text[16];
		assert_int_equal(mkv_plan_parse_fraction(valid[i].text, &ppb),
				 0);
		assert_true(ppb == valid[i].ppb);
		mkv_plan_print_fraction(ppb, text);
		assert_string_equal(text, valid[i].text);
	}
	static const char *const others[] = {
		"",	"0.",	"0.0", "0.50", "1.0",	       "00.5", ".5",
		"-0.5", "0.5x", "0,5", "5e-1", "0.0000000001", "2"};
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		int64_t ppb;
		assert_int_equal(mkv_plan_parse_fraction(others[i], &ppb),
				 -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_whole_plan),
		cmocka_unit_test(reads_a_request_of_the_campaign),
		cmocka_unit_test(refuses_every_prefix),
		cmocka_unit_test(says_where_the_mistake_is),
		cmocka_unit_test(a_run_s_id_is_never_a_path),
		cmocka_unit_test(a_fraction_has_one_notation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

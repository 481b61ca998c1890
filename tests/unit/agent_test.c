/* SPDX-License-Identifier: MIT */
/* When an agent accepts a command, and the overrides that it writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "programs/campaign/agent/overrides.c"
#include "programs/campaign/agent/state.c"

#define BOOT "0f0e0d0c-0b0a-4908-8706-050403020100"

/* What overrides.c asks of the other parts. */
int mkv_agent_run(const struct mkv_agent *agent, const char *const *words,
		  struct mkv_buf *output, struct mkv_error *err)
{
	(void)agent, (void)words, (void)output;
	return mkv_fail(err, MKV_FAILED, ENOSYS, "not in this test");
}

static struct mkv_contract_pair boots[] = {{"order", BOOT}};

static struct mkv_command command_of(enum mkv_command_step step,
				     int64_t sequence)
{
	return (struct mkv_command){
		.run = "03-2-kvm-docker",
		.attempt = 2,
		.step = step,
		.sequence = sequence,
		.boots = {boots, 1},
		.tracing = "otlp",
	};
}

/* The state after a step of that command, in this progress. */
static struct mkv_agent_state after(enum mkv_command_step step,
				    enum mkv_agent_progress progress)
{
	struct mkv_agent_state state = {0};
	struct mkv_command command = command_of(step, 10);
	mkv_agent_accept(&state, &command);
	assert_int_equal(state.progress, MKV_AGENT_WORKING);
	state.progress = progress;
	return state;
}

/* NULL: accepted; else the code of the refusal. */
static const char *judge(const struct mkv_agent_state *state,
			 const struct mkv_command *command)
{
	struct mkv_agent_refusal refusal = {0};
	struct mkv_agent_state before = *state;
	bool accepted =
		mkv_agent_accepts(state, "order", BOOT, command, &refusal);
	assert_memory_equal(state, &before, sizeof(before));
	assert_true(accepted ||
		    (refusal.message[0] &&
		     refusal.status ==
			     (strncmp(refusal.code, "other-host", 10) == 0 ||
					      strcmp(refusal.code,
						     "other-boot") == 0
				      ? 403U
				      : 409U)));
	return accepted ? NULL : refusal.code;
}

static void expect(const struct mkv_agent_state *state,
		   const struct mkv_command *command, const char *code)
{
	const char *got = judge(state, command);
	if (strcmp(got ? got : "accepted", code ? code : "accepted") != 0)
		fail_msg("%s after %s, %s: %s, not %s",
			 mkv_command_step_name(command->step),
			 mkv_command_step_name(state->step),
			 mkv_agent_progress_name(state->progress),
			 got ? got : "accepted", code ? code : "accepted");
}

static void the_order_of_steps_is_kept(void **state)
{
	(void)state;
	static const struct {
		enum mkv_command_step step;
		enum mkv_agent_progress progress;
		const char *next[4]; /* prepare, load, finish, abort */
	} rows[] = {
		{MKV_STEP_PREPARE,
		 MKV_AGENT_WORKING,
		 {"busy", "busy", "busy", NULL}},
		{MKV_STEP_PREPARE, MKV_AGENT_DONE, {NULL, NULL, NULL, NULL}},
		{MKV_STEP_PREPARE,
		 MKV_AGENT_FAILED,
		 {NULL, "out-of-order", "out-of-order", NULL}},
		{MKV_STEP_LOAD,
		 MKV_AGENT_WORKING,
		 {"busy", "busy", "busy", NULL}},
		{MKV_STEP_LOAD,
		 MKV_AGENT_DONE,
		 {NULL, "out-of-order", NULL, NULL}},
		{MKV_STEP_LOAD,
		 MKV_AGENT_FAILED,
		 {NULL, "out-of-order", NULL, NULL}},
		{MKV_STEP_FINISH,
		 MKV_AGENT_WORKING,
		 {"busy", "busy", "busy", NULL}},
		{MKV_STEP_FINISH,
		 MKV_AGENT_DONE,
		 {NULL, "out-of-order", "out-of-order", NULL}},
		{MKV_STEP_FINISH,
		 MKV_AGENT_FAILED,
		 {NULL, "out-of-order", NULL, NULL}},
		{MKV_STEP_ABORT,
		 MKV_AGENT_WORKING,
		 {"busy", "busy", "busy", "busy"}},
		{MKV_STEP_ABORT,
		 MKV_AGENT_DONE,
		 {NULL, "out-of-order", "out-of-order", NULL}},
		{MKV_STEP_ABORT,
		 MKV_AGENT_FAILED,
		 {NULL, "out-of-order", "out-of-order", NULL}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_agent_state now =
			after(rows[i].step, rows[i].progress);
		for (enum mkv_command_step next = MKV_STEP_PREPARE;
		     next <= MKV_STEP_ABORT; next++) {
			struct mkv_command command = command_of(next, 11);
			expect(&now, &command, rows[i].next[next]);
		}
	}
}

static void
before_the_first_step_only_prepare_and_abort_are_accepted(void **state)
{
	(void)state;
	static const char *const codes[] = {NULL, "other-attempt",
					    "other-attempt", NULL, "not-here"};
	struct mkv_agent_state fresh = {0};
	for (enum mkv_command_step step = 0; step < MKV_STEPS; step++) {
		struct mkv_command command = command_of(step, 1);
		expect(&fresh, &command, codes[step]);
	}
}

static void a_sequence_is_accepted_once(void **state)
{
	(void)state;
	struct mkv_agent_state now = after(MKV_STEP_PREPARE, MKV_AGENT_DONE);
	for (int64_t sequence = 8; sequence < 13; sequence++) {
		struct mkv_command command =
			command_of(MKV_STEP_LOAD, sequence);
		expect(&now, &command, sequence > 10 ? NULL : "replayed");
	}
	/* An abort is no exception. */
	struct mkv_command again = command_of(MKV_STEP_ABORT, 10);
	expect(&now, &again, "replayed");
}

static void another_boot_or_host_is_refused(void **state)
{
	(void)state;
	struct mkv_agent_state now = {0};
	struct mkv_contract_pair other_boot[] = {
		{"order", "0f0e0d0c-0b0a-4908-8706-050403020101"}};
	struct mkv_contract_pair other_host[] = {{"payment", BOOT}};
	struct mkv_command command = command_of(MKV_STEP_PREPARE, 1);
	expect(&now, &command, NULL);
	command.boots.items = other_boot;
	expect(&now, &command, "other-boot");
	command.boots.items = other_host;
	expect(&now, &command, "other-host");
}

static void an_attempt_does_not_mix_with_another(void **state)
{
	(void)state;
	struct mkv_agent_state now = after(MKV_STEP_PREPARE, MKV_AGENT_DONE);
	for (enum mkv_command_step step = MKV_STEP_LOAD; step <= MKV_STEP_ABORT;
	     step++) {
		struct mkv_command command = command_of(step, 11);
		expect(&now, &command, NULL);
		command.attempt = 3;
		expect(&now, &command, "other-attempt");
		command = command_of(step, 11);
		command.run = "03-2-kvm";
		expect(&now, &command, "other-attempt");
		command = command_of(step, 11);
		command.plan_sha256.bytes[31] = 1;
		expect(&now, &command, "other-attempt");
	}
	/* The next attempt begins with its prepare. */
	struct mkv_command next = command_of(MKV_STEP_PREPARE, 11);
	next.attempt = 3;
	expect(&now, &next, NULL);
}

static void the_longest_id_of_a_run_fits(void **state)
{
	(void)state;
	struct mkv_agent_state now = {0};
	char run[256] = "99-99-";
	while (strlen(run) < sizeof(run) - 1 &&
	       (strcat(run, "a"), mkv_plan_is_run_id(run)))
		;
	run[strlen(run) - 1] = '\0';
	assert_true(mkv_plan_is_run_id(run));
	struct mkv_command command = command_of(MKV_STEP_PREPARE, 1);
	command.run = run;
	mkv_agent_accept(&now, &command);
	assert_string_equal(now.run, run);
}

static const struct mkv_contract_experiment_service order_row = {
	.name = "order", .role = "order", .has_spans = true};

static void expect_lines(const char *tracing, bool is_container,
			 struct mkv_contract_pair *pairs, size_t count,
			 const char *expected)
{
	struct mkv_contract_service settings = {"order", {pairs, count}};
	struct mkv_command command = command_of(MKV_STEP_PREPARE, 1);
	const struct mkv_agent_service service = {&order_row, is_container};
	auto_buf struct mkv_buf lines = {0};
	command.tracing = tracing;
	if (count)
		command.settings = (struct mkv_plan_settings){&settings, 1};
	mkv_agent_overrides_service(&service, &command, "/var/lib", &lines);
	assert_false(lines.failed);
	assert_string_equal(lines.data ? lines.data : "", expected);
}

static void a_service_gets_its_settings_and_its_tracing(void **state)
{
	(void)state;
	struct mkv_contract_pair pairs[] = {{"DATA_DIR", "/tmp/a\\b"},
					    {"OTLP_ENDPOINT", "http://x:1"}};
	expect_lines("otlp", false, NULL, 0, "");
	expect_lines("off", false, NULL, 0,
		     "OTLP_ENDPOINT=none\nTRACE_FILE=none\n");
	expect_lines("file", false, NULL, 0,
		     "OTLP_ENDPOINT=\nTRACE_FILE=/var/lib/order/"
		     "traces.jsonl\n");
	expect_lines("file", true, NULL, 0,
		     "OTLP_ENDPOINT=\nTRACE_FILE=/tmp/traces.jsonl\n");
	expect_lines("otlp", false, pairs, 1, "DATA_DIR=/tmp/a\\\\b\n");
	expect_lines("off", false, pairs, 2,
		     "DATA_DIR=/tmp/a\\\\b\nOTLP_ENDPOINT=http://x:1\n"
		     "TRACE_FILE=none\n");
}

static void the_load_generator_gets_the_request_of_the_contract(void **state)
{
	(void)state;
	struct mkv_contract_host host = {
		.name = "order", .role = "order", .address = "10.77.0.11"};
	struct mkv_contract_pair headers[] = {{"A", "b"}, {"C", "d\\e"}};
	struct mkv_contract_field fields[] = {{"item", 20}, {"user", 1000}};
	struct mkv_contract contract = {
		.hosts = &host,
		.n_hosts = 1,
		.experiment =
			{
				.request = {.method = "POST",
					    .role = "order",
					    .port = 8080,
					    .path = "/o/{user}",
					    .body = "{}",
					    .status = 200,
					    .headers = {headers, 2}},
				.fields = fields,
				.n_fields = 2,
			},
	};
	const struct mkv_agent agent = {.contract = &contract,
					.loadgen_dir = "/var/lib/loadgen"};
	struct mkv_command command = command_of(MKV_STEP_LOAD, 1);
	command.load = (struct mkv_plan_load){.rate = 20,
					      .arrivals = "poisson",
					      .connections = 64,
					      .warm_up = 5,
					      .measured = 10,
					      .timeout_ns = 30000000000,
					      .seed = 7};
	auto_buf struct mkv_buf lines = {0};
	mkv_agent_overrides_load(&agent, &command, &lines);
	assert_string_equal(
		lines.data,
		"RUN=03-2-kvm-docker.2\nRATE=20\nWARM_UP=5\nCOUNT=10\n"
		"CONNECTIONS=64\nSEED=7\nTIMEOUT_MS=30000\n"
		"ARRIVALS=poisson\nTARGET=order\nMETHOD=POST\nURL=http://10.77.0.11:8080\n"
		"PATH=/o/{user}\nHEADERS=A: b\\nC: d\\\\e\nBODY={}\n"
		"STATUS=200\nFIELDS=item=20,user=1000\n");
	/* A command may have a request of its own. */
	auto_buf struct mkv_buf own = {0};
	command.load.has_request = true;
	command.load.request = contract.experiment.request;
	command.load.request.path = "/other";
	command.load.request.body = NULL;
	mkv_agent_overrides_load(&agent, &command, &own);
	assert_non_null(strstr(own.data, "\nPATH=/other\n"));
	assert_non_null(strstr(own.data, "\nBODY=\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_steps_is_kept),
		cmocka_unit_test(
			before_the_first_step_only_prepare_and_abort_are_accepted),
		cmocka_unit_test(a_sequence_is_accepted_once),
		cmocka_unit_test(another_boot_or_host_is_refused),
		cmocka_unit_test(an_attempt_does_not_mix_with_another),
		cmocka_unit_test(the_longest_id_of_a_run_fits),
		cmocka_unit_test(a_service_gets_its_settings_and_its_tracing),
		cmocka_unit_test(
			the_load_generator_gets_the_request_of_the_contract),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

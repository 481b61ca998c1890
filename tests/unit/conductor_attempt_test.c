/* SPDX-License-Identifier: MIT */
/* The course of an attempt: views of the hosts in, actions out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/command.h"
#include "programs/campaign/conductor/attempt.c"
#include "programs/campaign/conductor/reason.c"

enum { HOSTS = 3 };
#define S ((int64_t)MKV_NS_PER_S)

static const struct mkv_attempt_limits limits = {
	.silent_ns = 30 * S,
	.prepare_ns = 300 * S,
	.drain_ns = 120 * S,
	.finish_ns = 200 * S,
	.abort_ns = 60 * S,
	.stall_ns = 90 * S,
	.scrape_ns = 5 * S,
};

/* Three hosts that do as they are told, and a clock. */
struct world {
	struct mkv_attempt attempt;
	struct mkv_host_view hosts[HOSTS];
	struct mkv_view view;
};

static void begin(struct world *world)
{
	static const char *const host_names[HOSTS] = {"collector", "loadgen",
						      "order"};
	*world = (struct world){0};
	for (size_t i = 0; i < HOSTS; i++)
		world->hosts[i] =
			(struct mkv_host_view){.name = host_names[i],
					       .answers = true,
					       .receipt = MKV_RECEIPT_PASS,
					       .step = -1};
	world->view = (struct mkv_view){.hosts = world->hosts,
					.n_hosts = HOSTS,
					.realtime_ns = 1000 * S,
					.spans_settled = true};
	mkv_attempt_begin(&world->attempt, &limits, 0, 1000 * S);
}

/* A look at all hosts some time later. Those that answer were heard now. */
static enum mkv_action look(struct world *world, int64_t later_ns)
{
	world->view.now_ns += later_ns;
	world->view.realtime_ns += later_ns;
	for (size_t i = 0; i < HOSTS; i++)
		if (world->hosts[i].answers)
			world->hosts[i].heard_ns = world->view.now_ns;
	return mkv_attempt_next(&world->attempt, &world->view);
}

static void set_step(struct world *world, int step, enum mkv_step_state state)
{
	for (size_t i = 0; i < HOSTS; i++) {
		world->hosts[i].step = step;
		world->hosts[i].step_state = state;
	}
}

static void act(struct world *world)
{
	mkv_attempt_acted(&world->attempt, &world->view, true,
			  MKV_REASON_SERVICE_FAILED, NULL);
}

/* Up to the load. */
static void reach_load(struct world *world)
{
	begin(world);
	assert_int_equal(look(world, S), MKV_ACTION_PREPARE);
	set_step(world, MKV_STEP_PREPARE, MKV_STEP_DONE);
	assert_int_equal(look(world, S), MKV_ACTION_MARK);
	act(world);
	assert_int_equal(look(world, S), MKV_ACTION_LOAD);
	set_step(world, MKV_STEP_LOAD, MKV_STEP_WORKING);
	world->view.load = MKV_LOAD_WARM_UP;
}

static void reach_drain(struct world *world)
{
	reach_load(world);
	world->view.load = MKV_LOAD_MEASURED;
	assert_int_equal(look(world, S), MKV_ACTION_WAIT);
	set_step(world, MKV_STEP_LOAD, MKV_STEP_DONE);
	world->view.load = MKV_LOAD_DONE;
	world->view.spans_settled = false;
	assert_int_equal(look(world, S), MKV_ACTION_WAIT);
	assert_int_equal(world->attempt.stage, MKV_STAGE_DRAIN);
}

static void assert_reasons(const struct world *world, unsigned set)
{
	if (world->attempt.reasons != set)
		fail_msg("reasons %x, not %x: %s", world->attempt.reasons, set,
			 world->attempt.error);
}

static void assert_phases(const struct world *world, const char *wanted)
{
	char found[256] = "";
	const struct mkv_attempt *attempt = &world->attempt;
	for (size_t i = 0; i < attempt->n_phases; i++) {
		strcat(found, mkv_phase_name(attempt->phases[i].phase));
		strcat(found, " ");
		if (i)
			assert_int_equal(
				attempt->phases[i].start_realtime_ns,
				attempt->phases[i - 1].end_realtime_ns);
	}
	assert_string_equal(found, wanted);
}

static void a_good_attempt_goes_through_all_stages(void **state)
{
	(void)state;
	struct world world;
	reach_load(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_WAIT);
	assert_int_equal(mkv_attempt_phase(&world.attempt), MKV_PHASE_WARM_UP);
	world.view.load = MKV_LOAD_MEASURED;
	assert_int_equal(look(&world, S), MKV_ACTION_WAIT);
	assert_int_equal(mkv_attempt_phase(&world.attempt), MKV_PHASE_MEASURED);
	set_step(&world, MKV_STEP_LOAD, MKV_STEP_DONE);
	world.view.load = MKV_LOAD_DONE;
	world.view.spans_settled = false;
	assert_int_equal(look(&world, S), MKV_ACTION_WAIT);
	assert_int_equal(mkv_attempt_phase(&world.attempt), MKV_PHASE_DRAIN);
	world.view.spans_settled = true;
	/* A scrape after the last answer is waited for: 5 s and a margin. */
	assert_int_equal(look(&world, S), MKV_ACTION_WAIT);
	assert_int_equal(look(&world, 4 * S), MKV_ACTION_WAIT);
	assert_int_equal(look(&world, S), MKV_ACTION_METRICS);
	act(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_FINISH);
	set_step(&world, MKV_STEP_FINISH, MKV_STEP_DONE);
	assert_int_equal(look(&world, S), MKV_ACTION_COLLECT);
	act(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_SEAL);
	act(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_END);
	assert_reasons(&world, 0);
	assert_int_equal(mkv_attempt_phase(&world.attempt), MKV_PHASE_COMPLETE);
	assert_phases(&world, "prepare warm-up measured drain collect ");
}

static void a_command_is_sent_until_every_host_began_it(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_PREPARE);
	/* The answer of one was lost, but its agent works. */
	set_step(&world, MKV_STEP_PREPARE, MKV_STEP_WORKING);
	world.hosts[1].step = -1;
	world.hosts[2].refused = "409 sequence";
	world.hosts[2].refused_step = MKV_STEP_PREPARE;
	assert_int_equal(look(&world, S), MKV_ACTION_PREPARE);
	world.hosts[1].step = MKV_STEP_PREPARE;
	assert_int_equal(look(&world, S), MKV_ACTION_WAIT);
	assert_reasons(&world, 0);
	/* Nor does that refusal count for the next command. */
	struct world next = world;
	next.view.hosts = next.hosts;
	set_step(&next, MKV_STEP_PREPARE, MKV_STEP_DONE);
	assert_int_equal(look(&next, S), MKV_ACTION_MARK);
	act(&next);
	assert_int_equal(look(&next, S), MKV_ACTION_LOAD);
	assert_reasons(&next, 0);
	/* One that refuses and does not work on it never will. */
	world.hosts[2].step = -1;
	assert_int_equal(look(&world, S), MKV_ACTION_ABORT);
	assert_reasons(&world, 1U << MKV_REASON_SERVICE_FAILED);
	assert_non_null(strstr(world.attempt.error, "409 sequence"));
}

static void hosts_that_are_not_there_yet_are_waited_for(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	world.hosts[0].answers = false;
	assert_int_equal(look(&world, 30 * S), MKV_ACTION_WAIT);
	world.hosts[0].answers = true;
	assert_int_equal(look(&world, S), MKV_ACTION_PREPARE);
}

static void agents_that_end_an_earlier_attempt_are_waited_for(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	world.hosts[1].step_state = MKV_STEP_WORKING;
	assert_int_equal(look(&world, 300 * S), MKV_ACTION_WAIT);
	world.hosts[1].step_state = MKV_STEP_DONE;
	assert_int_equal(look(&world, S), MKV_ACTION_PREPARE);
	assert_reasons(&world, 0);
	/* Not without an end: it will say itself why it refuses. */
	begin(&world);
	world.hosts[1].step_state = MKV_STEP_WORKING;
	assert_int_equal(look(&world, 301 * S), MKV_ACTION_PREPARE);
}

/* What a view can hold that ends an attempt in the load, and the reason. */
static void receipt_fails(struct world *world)
{
	world->hosts[2].receipt = MKV_RECEIPT_FAIL;
}
static void receipt_warns(struct world *world)
{
	world->hosts[2].receipt = MKV_RECEIPT_WARN;
}
static void receipt_is_gone(struct world *world)
{
	world->hosts[2].receipt = MKV_RECEIPT_NONE;
}
static void receipt_breaks(struct world *world)
{
	world->hosts[1].receipt = MKV_RECEIPT_BROKEN;
}
static void host_reboots(struct world *world)
{
	world->hosts[1].is_other = true;
	world->hosts[1].mismatch = "it was booted again";
}
static void host_is_silent(struct world *world)
{
	world->hosts[2].answers = false;
	world->view.now_ns += 30 * S;
}
static void operator_aborts(struct world *world)
{
	world->view.stop = "aborted";
}
static void disk_fills(struct world *world)
{
	world->view.disk_full = "full";
}
static void clock_steps(struct world *world)
{
	world->view.clock_stepped = "stepped";
}
static void service_restarts(struct world *world)
{
	world->view.restarted = "order";
}
static void load_fails(struct world *world)
{
	world->hosts[1].step_state = MKV_STEP_FAILED;
	world->hosts[1].error = "signal 11";
}
static void load_stalls(struct world *world)
{
	for (size_t i = 0; i < HOSTS; i++)
		world->hosts[i].heard_ns = world->view.now_ns + 90 * S;
	world->view.now_ns += 90 * S;
}
static void nothing_happens(struct world *world)
{
	(void)world;
}

static const struct {
	void (*happens)(struct world *world);
	int reason; /* -1: the attempt goes on */
} troubles[] = {
	{receipt_fails, MKV_REASON_RECEIPT_FAILED},
	{receipt_warns, MKV_REASON_RECEIPT_FAILED},
	{receipt_is_gone, MKV_REASON_RECEIPT_FAILED},
	{receipt_breaks, MKV_REASON_RECEIPT_BROKEN},
	{host_reboots, MKV_REASON_HOST_REBOOTED},
	{host_is_silent, MKV_REASON_HOST_SILENT},
	{operator_aborts, MKV_REASON_INTERRUPTED},
	{disk_fills, MKV_REASON_DISK_FULL},
	{clock_steps, MKV_REASON_CLOCK_STEPPED},
	{service_restarts, MKV_REASON_SERVICE_FAILED},
	{load_fails, MKV_REASON_SERVICE_FAILED},
	{load_stalls, MKV_REASON_SERVICE_FAILED},
	{nothing_happens, -1},
};

static void each_trouble_in_the_load_ends_the_attempt(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(troubles) / sizeof(*troubles); i++) {
		struct world world;
		reach_load(&world);
		assert_int_equal(look(&world, 0), MKV_ACTION_WAIT);
		troubles[i].happens(&world);
		enum mkv_action action = look(&world, S);
		if (troubles[i].reason < 0) {
			assert_int_equal(action, MKV_ACTION_WAIT);
			assert_reasons(&world, 0);
			continue;
		}
		if (action != MKV_ACTION_ABORT)
			fail_msg("trouble %zu: action %d", i, (int)action);
		assert_reasons(&world, 1U << troubles[i].reason);
		assert_true(*world.attempt.error != '\0');
	}
}

static void troubles_end_a_check_and_a_drain_as_well(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	receipt_breaks(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_ABORT);
	reach_drain(&world);
	host_reboots(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_ABORT);
	assert_reasons(&world, 1U << MKV_REASON_HOST_REBOOTED);
}

static void a_silence_shorter_than_the_limit_is_none(void **state)
{
	(void)state;
	struct world world;
	reach_load(&world);
	assert_int_equal(look(&world, 0), MKV_ACTION_WAIT);
	world.hosts[2].answers = false;
	assert_int_equal(look(&world, 30 * S), MKV_ACTION_WAIT);
	world.hosts[2].answers = true;
	assert_int_equal(look(&world, S), MKV_ACTION_WAIT);
	assert_reasons(&world, 0);
}

static void progress_keeps_a_long_load_alive(void **state)
{
	(void)state;
	struct world world;
	reach_load(&world);
	for (unsigned i = 0; i < 10; i++) {
		world.view.load_count++;
		assert_int_equal(look(&world, 80 * S), MKV_ACTION_WAIT);
	}
	assert_reasons(&world, 0);
}

/* The load generator's unit fails when requests failed; what it wrote is kept
 * and judged. */
static void a_load_with_failed_requests_goes_on(void **state)
{
	(void)state;
	struct world world;
	reach_load(&world);
	set_step(&world, MKV_STEP_LOAD, MKV_STEP_DONE);
	world.hosts[1].step_state = MKV_STEP_FAILED;
	world.view.load = MKV_LOAD_DONE;
	assert_int_equal(look(&world, S), MKV_ACTION_WAIT);
	assert_int_equal(world.attempt.stage, MKV_STAGE_METRICS);
	assert_reasons(&world, 0);
}

static void spans_that_never_come_are_a_reason_and_no_end(void **state)
{
	(void)state;
	struct world world;
	reach_drain(&world);
	world.view.spans_detail = "service 'order' has 3 spans to export";
	assert_int_equal(look(&world, 120 * S), MKV_ACTION_WAIT);
	assert_reasons(&world, 0);
	assert_int_equal(look(&world, S), MKV_ACTION_METRICS);
	assert_reasons(&world, 1U << MKV_REASON_SPANS_MISSING);
	assert_false(world.attempt.gave_up);
	act(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_FINISH);
}

static void steps_have_limits(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_PREPARE);
	set_step(&world, MKV_STEP_PREPARE, MKV_STEP_WORKING);
	assert_int_equal(look(&world, 300 * S), MKV_ACTION_WAIT);
	assert_int_equal(look(&world, S), MKV_ACTION_ABORT);
	assert_reasons(&world, 1U << MKV_REASON_SERVICE_FAILED);
	/* Spans of earlier requests that stay in a service's queue. */
	begin(&world);
	(void)look(&world, S);
	set_step(&world, MKV_STEP_PREPARE, MKV_STEP_DONE);
	world.view.spans_settled = false;
	assert_int_equal(look(&world, 120 * S), MKV_ACTION_WAIT);
	assert_int_equal(look(&world, 121 * S), MKV_ACTION_ABORT);
	assert_reasons(&world, 1U << MKV_REASON_SERVICE_FAILED);
}

static void an_action_that_fails_decides_what_follows(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	(void)look(&world, S);
	set_step(&world, MKV_STEP_PREPARE, MKV_STEP_DONE);
	assert_int_equal(look(&world, S), MKV_ACTION_MARK);
	mkv_attempt_acted(&world.attempt, &world.view, false,
			  MKV_REASON_SERVICE_FAILED, "no collector");
	assert_int_equal(look(&world, S), MKV_ACTION_ABORT);
	assert_string_equal(world.attempt.error, "no collector");
	/* After the measurement the rest is kept. */
	reach_drain(&world);
	world.view.spans_settled = true;
	assert_int_equal(look(&world, 10 * S), MKV_ACTION_METRICS);
	mkv_attempt_acted(&world.attempt, &world.view, false,
			  MKV_REASON_DISK_FULL, "full");
	assert_int_equal(look(&world, S), MKV_ACTION_FINISH);
	assert_reasons(&world, 1U << MKV_REASON_DISK_FULL);
}

static void an_abort_ends_when_all_that_can_be_told_are(void **state)
{
	(void)state;
	struct world world;
	reach_load(&world);
	(void)look(&world, 0);
	world.view.stop = "aborted";
	/* An earlier refusal is none of the abort. */
	world.hosts[0].refused = "409";
	world.hosts[0].refused_step = MKV_STEP_LOAD;
	assert_int_equal(look(&world, S), MKV_ACTION_ABORT);
	set_step(&world, MKV_STEP_ABORT, MKV_STEP_DONE);
	world.hosts[1].step_state = MKV_STEP_WORKING;
	assert_int_equal(look(&world, S), MKV_ACTION_WAIT);
	/* One that is away is not waited for long, one that works is. */
	world.hosts[2].answers = false;
	assert_int_equal(look(&world, 10 * S), MKV_ACTION_WAIT);
	world.hosts[1].step_state = MKV_STEP_DONE;
	assert_int_equal(look(&world, S), MKV_ACTION_COLLECT);
	act(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_SEAL);
	act(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_END);
	assert_int_equal(mkv_attempt_phase(&world.attempt), MKV_PHASE_FAILED);
	assert_phases(&world, "prepare warm-up collect ");
	/* Nobody is waited for without an end. */
	reach_load(&world);
	world.view.stop = "aborted";
	assert_int_equal(look(&world, S), MKV_ACTION_ABORT);
	assert_int_equal(look(&world, 61 * S), MKV_ACTION_COLLECT);
}

static void an_attempt_of_an_earlier_process_is_only_ended(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	mkv_attempt_resume(&world.attempt, &limits, 0, 1000 * S);
	assert_int_equal(look(&world, S), MKV_ACTION_ABORT);
	set_step(&world, MKV_STEP_ABORT, MKV_STEP_DONE);
	assert_int_equal(look(&world, S), MKV_ACTION_COLLECT);
	assert_reasons(&world, 1U << MKV_REASON_INTERRUPTED);
}

static void all_troubles_at_once_are_all_recorded(void **state)
{
	(void)state;
	struct world world;
	reach_load(&world);
	(void)look(&world, 0);
	receipt_breaks(&world);
	world.hosts[2].receipt = MKV_RECEIPT_FAIL;
	clock_steps(&world);
	assert_int_equal(look(&world, S), MKV_ACTION_ABORT);
	assert_reasons(&world, 1U << MKV_REASON_RECEIPT_BROKEN |
				       1U << MKV_REASON_RECEIPT_FAILED |
				       1U << MKV_REASON_CLOCK_STEPPED);
	/* The first is the message. */
	assert_string_equal(world.attempt.error, "stepped");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_attempt_goes_through_all_stages),
		cmocka_unit_test(a_command_is_sent_until_every_host_began_it),
		cmocka_unit_test(hosts_that_are_not_there_yet_are_waited_for),
		cmocka_unit_test(
			agents_that_end_an_earlier_attempt_are_waited_for),
		cmocka_unit_test(each_trouble_in_the_load_ends_the_attempt),
		cmocka_unit_test(troubles_end_a_check_and_a_drain_as_well),
		cmocka_unit_test(a_silence_shorter_than_the_limit_is_none),
		cmocka_unit_test(progress_keeps_a_long_load_alive),
		cmocka_unit_test(a_load_with_failed_requests_goes_on),
		cmocka_unit_test(spans_that_never_come_are_a_reason_and_no_end),
		cmocka_unit_test(steps_have_limits),
		cmocka_unit_test(an_action_that_fails_decides_what_follows),
		cmocka_unit_test(an_abort_ends_when_all_that_can_be_told_are),
		cmocka_unit_test(
			an_attempt_of_an_earlier_process_is_only_ended),
		cmocka_unit_test(all_troubles_at_once_are_all_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

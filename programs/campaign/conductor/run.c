/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/run.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "programs/campaign/conductor/run_internal.h"
#include "programs/lib/log.h"

enum { QUICK = 4 }; /* looks are that much closer outside the load */
#define ABORT_NS (120 * (int64_t)MKV_NS_PER_S)

static const char *stage_name(enum mkv_stage stage)
{
	static const char *const names[] = {
		[MKV_STAGE_CHECK] = "checks all hosts",
		[MKV_STAGE_PREPARE] = "prepares all hosts",
		[MKV_STAGE_MARK] = "waits for spans of earlier requests",
		[MKV_STAGE_LOAD] = "starts the load",
		[MKV_STAGE_DRAIN] = "waits for spans",
		[MKV_STAGE_METRICS] = "fetches samples",
		[MKV_STAGE_FINISH] = "finishes on all hosts",
		[MKV_STAGE_ABORT] = "gives up",
		[MKV_STAGE_COLLECT] = "collects",
		[MKV_STAGE_SEAL] = "judges the run",
		[MKV_STAGE_END] = "has ended",
	};
	return names[stage];
}

/* Phases survive a restart of the conductor. */
static void log_stage(struct mkv_running *run)
{
	char path[4096];
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	auto_json json_t *phases = NULL;
	if (run->attempt.stage == run->logged)
		return;
	run->logged = run->attempt.stage;
	mkv_run_note(run, "%s", stage_name(run->logged));
	if (run->logged == MKV_STAGE_ABORT && *run->attempt.error)
		mkv_run_note(run, "%s", run->attempt.error);
	phases = mkv_phases_pack(&run->attempt);
	(void)snprintf(path, sizeof(path), "%s/phases.json",
		       run->options->work);
	if (!phases || mkv_json_dump_compact(phases, &text, &err) < 0 ||
	    mkv_write_file(path, 0644, text.data, text.size, &err) < 0)
		mkv_log_error("keep the phases: %s", err.message);
}

static json_t *pack_spans(const struct mkv_running *run)
{
	struct mkv_span_counts sum = {0};
	if (run->spans.received || !run->has_mark)
		return json_pack("{sI sI sI}", "expected",
				 (json_int_t)run->spans.expected, "received",
				 (json_int_t)run->spans.received, "dropped",
				 (json_int_t)run->spans.dropped);
	(void)mkv_services_sum(&run->services, &sum);
	return json_pack("{sI sI sI}", "expected", (json_int_t)sum.ended,
			 "received", (json_int_t)sum.exported, "dropped",
			 (json_int_t)sum.dropped);
}

static void publish(struct mkv_running *run)
{
	uint64_t count;
	json_t *progress;
	(void)mkv_hosts_load(&run->hosts, &count, &progress);
	json_t *state = json_pack(
		"{ss sI ss ss so sO? so so so so}", "run", run->order->run->id,
		"attempt", (json_int_t)run->order->attempt, "plan_sha256",
		run->order->plan_hex, "phase",
		mkv_phase_name(mkv_attempt_phase(&run->attempt)), "phases",
		mkv_phases_pack(&run->attempt), "progress", progress, "hosts",
		mkv_hosts_pack(&run->hosts), "spans", pack_spans(run), "error",
		*run->attempt.error ? json_string(run->attempt.error)
				    : json_null(),
		"reasons", mkv_reasons_pack(run->attempt.reasons));
	if (state)
		run->options->publish(run->options->context, state);
}

/* The last look may have been in the wait for spans: count what they were. */
static void end_drain(struct mkv_running *run)
{
	struct mkv_span_counts sum = {0};
	(void)mkv_services_sum(&run->services, &sum);
	run->spans.expected = run->counts_spans ? sum.ended : 0;
	run->spans.dropped = run->counts_spans ? sum.dropped : 0;
}

/* Measures the wait for spans between the two stages' begins. */
static void follow_drain(struct mkv_running *run, enum mkv_stage before)
{
	enum mkv_stage now = run->attempt.stage;
	if (before == now)
		return;
	if (now == MKV_STAGE_DRAIN)
		run->drain_began_ns = run->attempt.stage_ns;
	if (before == MKV_STAGE_LOAD && now > MKV_STAGE_DRAIN)
		run->drain_began_ns = run->attempt.stage_ns;
	if (now > MKV_STAGE_DRAIN && before <= MKV_STAGE_DRAIN &&
	    run->has_mark) {
		run->drain_ns =
			run->drain_began_ns
				? run->attempt.stage_ns - run->drain_began_ns
				: 0;
		end_drain(run);
	}
}

static void pause_between(const struct mkv_running *run)
{
	int64_t ms = run->attempt.stage == MKV_STAGE_LOAD
			     ? run->self->poll_ms
			     : run->self->poll_ms / QUICK;
	const struct timespec wait = mkv_timespec_of_ns(ms * MKV_NS_PER_MS);
	(void)nanosleep(&wait, NULL);
}

static int follow(struct mkv_running *run, struct mkv_error *err)
{
	while (run->attempt.stage != MKV_STAGE_END) {
		struct mkv_view view = mkv_run_look(run);
		if (atomic_load(run->options->stopping))
			return mkv_fail(err, MKV_FAILED, ECANCELED,
					"the conductor stops");
		enum mkv_stage before = run->attempt.stage;
		enum mkv_action action = mkv_attempt_next(&run->attempt, &view);
		follow_drain(run, before);
		log_stage(run);
		publish(run);
		int rc = mkv_run_perform(run, action, &view, err);
		if (rc < 0)
			return rc;
		if (run->attempt.stage == before)
			pause_between(run);
	}
	log_stage(run);
	publish(run);
	return 0;
}

static struct mkv_attempt_limits find_limits(const struct mkv_self *self,
					     const struct mkv_run_order *order)
{
	const int64_t s = MKV_NS_PER_S;
	return (struct mkv_attempt_limits){
		.silent_ns = self->silent_s * s,
		.prepare_ns = self->prepare_s * s,
		.drain_ns = self->drain_s * s,
		.finish_ns = self->finish_s * s,
		.abort_ns = ABORT_NS,
		.stall_ns = order->plan->load.timeout_ns + self->stall_s * s,
		.scrape_ns = order->plan->scrape_interval_ns,
	};
}

/* What an earlier process wrote of the phases; its last one ends now. */
static void restore_phases(struct mkv_running *run, int64_t realtime_ns)
{
	char path[4096];
	struct mkv_error ignored;
	auto_json json_t *list = NULL;
	struct mkv_attempt *attempt = &run->attempt;
	(void)snprintf(path, sizeof(path), "%s/phases.json",
		       run->options->work);
	if (mkv_json_load_file(AT_FDCWD, path, 65536, &list, &ignored) < 0)
		return;
	attempt->n_phases = 0;
	for (size_t i = 0; i < json_array_size(list) && i + 2 < MKV_PHASES;
	     i++) {
		const json_t *item = json_array_get(list, i);
		const char *name =
			json_string_value(json_object_get(item, "name"));
		enum mkv_attempt_phase phase = MKV_PHASE_PREPARE;
		while (phase < MKV_PHASE_COLLECT && name &&
		       strcmp(mkv_phase_name(phase), name) != 0)
			phase++;
		int64_t end_ns =
			json_integer_value(json_object_get(item, "end_ns"));
		if (!name || phase == MKV_PHASE_COLLECT)
			continue;
		attempt->phases[attempt->n_phases++] = (struct mkv_phase_time){
			phase,
			json_integer_value(json_object_get(item, "start_ns")),
			end_ns ? end_ns : realtime_ns};
	}
	attempt->phases[attempt->n_phases++] = (struct mkv_phase_time){
		.phase = MKV_PHASE_COLLECT, .start_realtime_ns = realtime_ns};
}

static void begin_attempt(struct mkv_running *run)
{
	const struct mkv_attempt_limits limits =
		find_limits(run->self, run->order);
	int64_t realtime_ns = mkv_realtime_ns();
	const char *boot = mkv_command_boot(mkv_order_command(run->order),
					    run->self->host);
	if (!run->options->is_resumed) {
		mkv_attempt_begin(&run->attempt, &limits, mkv_monotonic_ns(),
				  realtime_ns);
		return;
	}
	mkv_attempt_resume(&run->attempt, &limits, mkv_monotonic_ns(),
			   realtime_ns);
	restore_phases(run, realtime_ns);
	if (!boot || strcmp(boot, run->self->boot_id) != 0)
		mkv_attempt_note(&run->attempt, MKV_REASON_HOST_REBOOTED,
				 "'%s' was booted again", run->self->host);
}

static int empty_directory(const char *path, struct mkv_error *err)
{
	int rc = mkv_remove_tree(AT_FDCWD, path, err);
	return rc < 0 ? rc : mkv_make_dirs(path, err);
}

static int run_attempt(struct mkv_running *run, struct mkv_error *err)
{
	int rc = empty_directory(run->directory, err);
	if (rc < 0)
		return rc;
	rc = mkv_hosts_init(&run->hosts, run->self, run->order, err);
	if (rc < 0)
		return rc;
	rc = mkv_services_init(&run->services, run->self, err);
	if (rc < 0)
		return rc;
	run->logged = MKV_STAGE_END;
	run->realtime_offset_ns = mkv_hosts_clock_offset();
	begin_attempt(run);
	return follow(run, err);
}

int mkv_run(const struct mkv_run_options *options, struct mkv_error *err)
{
	const char *tracing = options->order->arm->tracing;
	struct mkv_running run = {
		.options = options,
		.self = options->self,
		.order = options->order,
		.counts_spans = strcmp(tracing, "off") != 0,
		.spans.is_counted = strcmp(tracing, "otlp") == 0,
	};
	(void)snprintf(run.directory, sizeof(run.directory), "%s/run",
		       options->work);
	int rc = run_attempt(&run, err);
	mkv_hosts_done(&run.hosts);
	mkv_services_done(&run.services);
	mkv_buf_done(&run.log);
	return rc;
}

/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/run.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/sync.h"
#include "programs/campaign/conductor/gather.h"
#include "programs/campaign/conductor/hosts.h"
#include "programs/campaign/conductor/seal.h"
#include "programs/campaign/conductor/services.h"
#include "programs/lib/log.h"

enum { LOG_MAX = 256 * 1024, COUNT_EVERY = 5, QUICK = 4 };
#define STEP_NS (100 * (int64_t)MKV_NS_PER_MS)
#define ABORT_NS (120 * (int64_t)MKV_NS_PER_S)

struct run {
	const struct mkv_run_options *options;
	const struct mkv_self *self;
	const struct mkv_order *order;
	struct mkv_attempt attempt;
	struct mkv_hosts hosts;
	struct mkv_services services;
	struct mkv_gather_mark mark;
	bool has_mark, counts_spans;
	struct mkv_span_facts spans;
	bool spans_settled;
	int64_t drain_began_ns, drain_ns;
	int64_t realtime_offset_ns; /* of the last look */
	char clock_stepped[96], directory[4096];
	enum mkv_stage logged;
	unsigned looks;
	struct mkv_buf log; /* conductor.log of the result */
};

static void note(struct run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void note(struct run *run, const char *format, ...)
{
	char text[640];
	int64_t now_ns = mkv_realtime_ns();
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	mkv_log_info("%s attempt %lld: %s", run->order->run->id,
		     (long long)run->order->attempt, text);
	if (run->log.size < LOG_MAX)
		mkv_buf_printf(&run->log, "%lld.%09lld %s\n",
			       (long long)(now_ns / MKV_NS_PER_S),
			       (long long)(now_ns % MKV_NS_PER_S), text);
}

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
static void log_stage(struct run *run)
{
	char path[4096];
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	auto_json json_t *phases = NULL;
	if (run->attempt.stage == run->logged)
		return;
	run->logged = run->attempt.stage;
	note(run, "%s", stage_name(run->logged));
	if (run->logged == MKV_STAGE_ABORT && *run->attempt.error)
		note(run, "%s", run->attempt.error);
	phases = mkv_phases_pack(&run->attempt);
	(void)snprintf(path, sizeof(path), "%s/phases.json",
		       run->options->work);
	if (!phases || mkv_json_dump_compact(phases, &text, &err) < 0 ||
	    mkv_write_file(path, 0644, text.data, text.size, &err) < 0)
		mkv_log_error("keep the phases: %s", err.message);
}

/* CLOCK_REALTIME minus CLOCK_MONOTONIC, of the quickest of some readings. */
static int64_t read_offset(void)
{
	int64_t best_ns = INT64_MAX, offset_ns = 0;
	for (int i = 0; i < 5; i++) {
		int64_t before_ns = mkv_monotonic_ns();
		int64_t realtime_ns = mkv_realtime_ns();
		int64_t took_ns = mkv_monotonic_ns() - before_ns;
		if (took_ns >= best_ns)
			continue;
		best_ns = took_ns;
		offset_ns = realtime_ns - before_ns;
	}
	return offset_ns;
}

static void check_clock(struct run *run)
{
	int64_t now_ns = read_offset();
	int64_t change_ns = llabs(now_ns - run->realtime_offset_ns);
	run->realtime_offset_ns = now_ns;
	if (change_ns > STEP_NS && !*run->clock_stepped)
		(void)snprintf(run->clock_stepped, sizeof(run->clock_stepped),
			       "the clock of '%s' stepped by %lld ms",
			       run->self->host,
			       (long long)(change_ns / MKV_NS_PER_MS));
}

/* Services are asked when a stage waits for their spans, and now and then in
 * between: a service that was restarted counts from 0 again. */
static void look_at_services(struct run *run)
{
	struct mkv_error err;
	enum mkv_stage stage = run->attempt.stage;
	bool waits = stage == MKV_STAGE_MARK || stage == MKV_STAGE_DRAIN;
	if (!run->counts_spans) {
		run->spans_settled = true;
		return;
	}
	if (!waits &&
	    !(stage == MKV_STAGE_LOAD && run->looks % COUNT_EVERY == 0))
		return;
	if (mkv_services_poll(&run->services, &run->spans_settled, &err) < 0) {
		mkv_log_error("services: %s", err.message);
		run->spans_settled = false;
	}
	/* While requests are sent, the answer is no longer true when a stage
	 * waits for it. */
	if (!waits)
		run->spans_settled = false;
}

static void look_at_hosts(struct run *run)
{
	struct mkv_error err;
	if (mkv_hosts_poll(&run->hosts, run->self, run->order, &err) == 0)
		return;
	mkv_log_error("agents: %s", err.message);
	for (size_t i = 0; i < run->hosts.count; i++)
		run->hosts.views[i].answers = false;
}

static const char *check_disk(const struct run *run)
{
	return mkv_self_free(run->self)
		       ? NULL
		       : "less than the spare is free on the disk of "
			 "the conductor";
}

static const char *check_restarts(struct run *run)
{
	struct mkv_span_counts ignored;
	return run->has_mark && run->counts_spans
		       ? mkv_services_sum(&run->services, &ignored)
		       : NULL;
}

static struct mkv_view look(struct run *run)
{
	json_t *progress;
	run->looks++;
	look_at_hosts(run);
	look_at_services(run);
	check_clock(run);
	struct mkv_view view = {
		.now_ns = mkv_monotonic_ns(),
		.realtime_ns = mkv_realtime_ns(),
		.hosts = run->hosts.views,
		.n_hosts = run->hosts.count,
		.spans_settled = run->spans_settled,
		.spans_detail = run->services.detail,
		.disk_full = check_disk(run),
		.restarted = check_restarts(run),
	};
	view.load = mkv_hosts_load(&run->hosts, &view.load_count, &progress);
	if (run->options->is_aborted(run->options->context))
		view.stop = "the operator aborted the attempt";
	if (*run->clock_stepped)
		view.clock_stepped = run->clock_stepped;
	else if (*run->hosts.clock_stepped)
		view.clock_stepped = run->hosts.clock_stepped;
	return view;
}

static json_t *pack_spans(const struct run *run)
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

static void publish(struct run *run)
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

static void acted(struct run *run, const struct mkv_view *view, int rc,
		  enum mkv_reason reason, const struct mkv_error *err)
{
	if (rc == -ENOSPC)
		reason = MKV_REASON_DISK_FULL;
	if (rc < 0)
		note(run, "%s", err->message);
	mkv_attempt_acted(&run->attempt, view, rc >= 0, reason,
			  rc < 0 ? err->message : NULL);
}

/* Where the run's spans begin, and how often Prometheus looks: a window by the
 * plan's interval would miss the samples around the measurement if the image
 * has a longer one. */
static int mark(struct run *run, struct mkv_error *err)
{
	int64_t interval_ns;
	int rc = mkv_gather_mark(run->self, &run->mark, err);
	if (rc < 0)
		return rc;
	rc = mkv_gather_interval(run->self, &interval_ns, err);
	if (rc < 0)
		return rc;
	if (interval_ns != run->attempt.limits.scrape_ns)
		note(run,
		     "Prometheus scrapes every %lld ms, the plan says %lld ms",
		     (long long)(interval_ns / MKV_NS_PER_MS),
		     (long long)(run->attempt.limits.scrape_ns /
				 MKV_NS_PER_MS));
	if (interval_ns > run->attempt.limits.scrape_ns)
		run->attempt.limits.scrape_ns = interval_ns;
	mkv_services_mark(&run->services);
	run->has_mark = true;
	return 0;
}

/* A collector or Prometheus that is just starting is waited for as long as a
 * silent agent is. */
static bool can_wait_for_mark(const struct run *run,
			      const struct mkv_view *view)
{
	return view->now_ns - run->attempt.stage_ns <
	       run->attempt.limits.silent_ns;
}

/* The last look may have been in the wait for spans: count what they were. */
static void end_drain(struct run *run)
{
	struct mkv_span_counts sum = {0};
	(void)mkv_services_sum(&run->services, &sum);
	run->spans.expected = run->counts_spans ? sum.ended : 0;
	run->spans.dropped = run->counts_spans ? sum.dropped : 0;
}

static int fetch_metrics(struct run *run, struct mkv_error *err)
{
	int64_t begin_ns = 0, end_ns = 0;
	int64_t margin_ns = run->attempt.limits.scrape_ns;
	for (size_t i = 0; i < run->attempt.n_phases; i++) {
		const struct mkv_phase_time *phase = &run->attempt.phases[i];
		if (phase->phase == MKV_PHASE_WARM_UP ||
		    phase->phase == MKV_PHASE_MEASURED) {
			begin_ns = phase->start_realtime_ns;
			end_ns = phase->end_realtime_ns;
		}
	}
	if (!end_ns)
		return mkv_fail(err, MKV_FAILED, ENODATA,
				"nothing was measured");
	/* The measurement may have begun since the look before. */
	begin_ns -= margin_ns + run->self->poll_ms * MKV_NS_PER_MS;
	return mkv_gather_metrics(run->self, begin_ns, end_ns + margin_ns,
				  run->directory, err);
}

static int collect_spans(struct run *run, struct mkv_error *err)
{
	if (!run->has_mark)
		return 0;
	return mkv_gather_spans(run->self, &run->mark, run->directory,
				&run->spans.received, err);
}

/* Everything that can be had, whatever else fails. Returns the first error. */
static int collect(struct run *run, enum mkv_reason *ret_reason,
		   struct mkv_error *err)
{
	struct mkv_error other;
	int rc = collect_spans(run, err);
	*ret_reason = MKV_REASON_SERVICE_FAILED;
	for (size_t i = 0; i < run->hosts.count; i++) {
		const struct mkv_host *host = &run->hosts.items[i];
		if (run->attempt.gave_up &&
		    (run->hosts.views[i].is_other ||
		     !run->hosts.views[i].answers || !host->was_prepared))
			continue;
		int one = mkv_gather_files(run->self, host->host->name,
					   host->url, run->directory, &other);
		if (one == 0)
			continue;
		if (rc == 0) {
			rc = one;
			*err = other;
			*ret_reason = one == -EHOSTDOWN
					      ? MKV_REASON_HOST_SILENT
					      : MKV_REASON_SERVICE_FAILED;
		} else {
			note(run, "%s", other.message);
		}
	}
	return rc;
}

static int write_log(struct run *run, struct mkv_error *err)
{
	char path[4200];
	(void)snprintf(path, sizeof(path), "%s/logs", run->directory);
	int rc = mkv_make_dirs(path, err);
	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/logs/conductor.log",
		       run->directory);
	rc = mkv_buf_check(&run->log, err);
	return rc < 0 ? rc
		      : mkv_write_file(path, 0644, run->log.data, run->log.size,
				       err);
}

static int seal_once(struct run *run, struct mkv_error *err)
{
	const struct mkv_seal seal = {
		.self = run->self,
		.order = run->order,
		.spans = run->spans,
		.drain_ns = run->drain_ns,
		.now_realtime_ns = mkv_realtime_ns(),
	};
	int rc = mkv_seal_write(&seal, &run->attempt, run->directory, err);
	if (rc < 0)
		return rc;
	rc = write_log(run, err);
	if (rc < 0)
		return rc;
	rc = mkv_sync_tree(run->directory, err);
	if (rc < 0)
		return rc;
	if (renameat2(AT_FDCWD, run->directory, AT_FDCWD, run->options->place,
		      RENAME_NOREPLACE) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m",
				run->options->place);
	return 0;
}

/* On a full disk the attempt is kept without its large files, so that it counts
 * as an attempt. */
static int seal(struct run *run, struct mkv_error *err)
{
	static const char *const large[] = {"traces.pb.zst", "traces.jsonl.zst",
					    "metrics.json.zst"};
	int rc = seal_once(run, err);
	if (rc != -ENOSPC)
		return rc;
	mkv_attempt_note(&run->attempt, MKV_REASON_DISK_FULL, "%s",
			 err->message);
	for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++) {
		char path[4200];
		(void)snprintf(path, sizeof(path), "%s/%s", run->directory,
			       large[i]);
		(void)unlink(path);
	}
	return seal_once(run, err);
}

static void send_command(struct run *run, enum mkv_command_step step)
{
	struct mkv_error err;
	if (mkv_hosts_send(&run->hosts, run->order, step, &err) < 0)
		mkv_log_error("%s: %s", mkv_command_step_name(step),
			      err.message);
}

/* Performs an action. An error ends the attempt without a result. */
static int perform(struct run *run, enum mkv_action action,
		   const struct mkv_view *view, struct mkv_error *err)
{
	enum mkv_reason reason = MKV_REASON_SERVICE_FAILED;
	int rc = 0;
	switch (action) {
	case MKV_ACTION_PREPARE:
		send_command(run, MKV_STEP_PREPARE);
		return 0;
	case MKV_ACTION_LOAD:
		send_command(run, MKV_STEP_LOAD);
		return 0;
	case MKV_ACTION_FINISH:
		send_command(run, MKV_STEP_FINISH);
		return 0;
	case MKV_ACTION_ABORT:
		send_command(run, MKV_STEP_ABORT);
		return 0;
	case MKV_ACTION_MARK:
		rc = mark(run, err);
		if (rc < 0 && can_wait_for_mark(run, view))
			return 0;
		break;
	case MKV_ACTION_METRICS:
		rc = fetch_metrics(run, err);
		break;
	case MKV_ACTION_COLLECT:
		rc = collect(run, &reason, err);
		break;
	case MKV_ACTION_SEAL:
		rc = seal(run, err);
		if (rc < 0)
			return rc;
		break;
	case MKV_ACTION_WAIT:
	case MKV_ACTION_END:
		return 0;
	}
	if (atomic_load(run->options->stopping))
		return 0; /* what failed was cancelled */
	acted(run, view, rc, reason, err);
	return 0;
}

/* Measures the wait for spans between the two stages' begins. */
static void follow_drain(struct run *run, enum mkv_stage before)
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

static void pause_between(const struct run *run)
{
	int64_t ms = run->attempt.stage == MKV_STAGE_LOAD
			     ? run->self->poll_ms
			     : run->self->poll_ms / QUICK;
	const struct timespec wait = mkv_timespec_of_ns(ms * MKV_NS_PER_MS);
	(void)nanosleep(&wait, NULL);
}

static int follow(struct run *run, struct mkv_error *err)
{
	while (run->attempt.stage != MKV_STAGE_END) {
		struct mkv_view view = look(run);
		if (atomic_load(run->options->stopping))
			return mkv_fail(err, MKV_FAILED, ECANCELED,
					"the conductor stops");
		enum mkv_stage before = run->attempt.stage;
		enum mkv_action action = mkv_attempt_next(&run->attempt, &view);
		follow_drain(run, before);
		log_stage(run);
		publish(run);
		int rc = perform(run, action, &view, err);
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
					     const struct mkv_order *order)
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
static void restore_phases(struct run *run, int64_t realtime_ns)
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
		enum mkv_phase phase = MKV_PHASE_PREPARE;
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

static void begin_attempt(struct run *run)
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

static int run_attempt(struct run *run, struct mkv_error *err)
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
	run->realtime_offset_ns = read_offset();
	begin_attempt(run);
	return follow(run, err);
}

int mkv_run(const struct mkv_run_options *options, struct mkv_error *err)
{
	const char *tracing = options->order->arm->tracing;
	struct run run = {
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

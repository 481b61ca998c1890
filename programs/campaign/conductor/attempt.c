/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/attempt.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/command.h"

/* Hosts that don't answer are not waited for longer when an attempt ends. */
#define ABORT_UNHEARD_NS (5 * (int64_t)MKV_NS_PER_S)
/* Prometheus stores a scrape a moment after it began. */
#define SCRAPE_MARGIN_NS ((int64_t)MKV_NS_PER_S)

static const char *const phase_names[MKV_PHASES] = {
	"idle",	 "prepare", "warm-up",	"measured",
	"drain", "collect", "complete", "failed",
};

const char *mkv_phase_name(enum mkv_attempt_phase phase)
{
	return phase_names[phase];
}

void mkv_attempt_note(struct mkv_attempt *attempt, enum mkv_reason reason,
		      const char *format, ...)
{
	va_list ap;
	attempt->reasons |= 1U << reason;
	if (*attempt->error)
		return;
	va_start(ap, format);
	(void)vsnprintf(attempt->error, sizeof(attempt->error), format, ap);
	va_end(ap);
}

static void begin_phase(struct mkv_attempt *attempt,
			enum mkv_attempt_phase phase, int64_t realtime_ns)
{
	size_t n = attempt->n_phases;
	if (n && attempt->phases[n - 1].phase == phase)
		return;
	if (n)
		attempt->phases[n - 1].end_realtime_ns = realtime_ns;
	if (phase == MKV_PHASE_COMPLETE || phase == MKV_PHASE_FAILED)
		return;
	attempt->phases[attempt->n_phases++] = (struct mkv_phase_time){
		.phase = phase, .start_realtime_ns = realtime_ns};
}

/* The load's two phases are told apart by its progress. */
static enum mkv_attempt_phase stage_phase(const struct mkv_attempt *attempt)
{
	switch (attempt->stage) {
	case MKV_STAGE_LOAD:
		return MKV_PHASE_WARM_UP;
	case MKV_STAGE_DRAIN:
		return MKV_PHASE_DRAIN;
	case MKV_STAGE_METRICS:
	case MKV_STAGE_FINISH:
	case MKV_STAGE_ABORT:
	case MKV_STAGE_COLLECT:
	case MKV_STAGE_SEAL:
		return MKV_PHASE_COLLECT;
	case MKV_STAGE_END:
		return attempt->gave_up ? MKV_PHASE_FAILED : MKV_PHASE_COMPLETE;
	default:
		return MKV_PHASE_PREPARE;
	}
}

enum mkv_attempt_phase mkv_attempt_phase(const struct mkv_attempt *attempt)
{
	if (attempt->stage == MKV_STAGE_END || attempt->n_phases == 0)
		return stage_phase(attempt);
	return attempt->phases[attempt->n_phases - 1].phase;
}

static void enter_stage(struct mkv_attempt *attempt, enum mkv_stage stage,
			const struct mkv_view *view)
{
	attempt->stage = stage;
	attempt->stage_ns = view->now_ns;
	attempt->load_ns = stage == MKV_STAGE_LOAD || stage == MKV_STAGE_DRAIN
				   ? view->now_ns
				   : attempt->load_ns;
	begin_phase(attempt, stage_phase(attempt), view->realtime_ns);
}

void mkv_attempt_begin(struct mkv_attempt *attempt,
		       const struct mkv_attempt_limits *limits, int64_t now_ns,
		       int64_t realtime_ns)
{
	*attempt = (struct mkv_attempt){.limits = *limits,
					.stage = MKV_STAGE_CHECK,
					.stage_ns = now_ns};
	begin_phase(attempt, MKV_PHASE_PREPARE, realtime_ns);
}

void mkv_attempt_resume(struct mkv_attempt *attempt,
			const struct mkv_attempt_limits *limits, int64_t now_ns,
			int64_t realtime_ns)
{
	*attempt = (struct mkv_attempt){.limits = *limits,
					.stage = MKV_STAGE_ABORT,
					.stage_ns = now_ns,
					.gave_up = true};
	mkv_attempt_note(attempt, MKV_REASON_INTERRUPTED,
			 "the conductor was restarted");
	begin_phase(attempt, MKV_PHASE_COLLECT, realtime_ns);
}

static enum mkv_action give_up(struct mkv_attempt *attempt,
			       const struct mkv_view *view)
{
	attempt->gave_up = true;
	enter_stage(attempt, MKV_STAGE_ABORT, view);
	return mkv_attempt_next(attempt, view);
}

static bool check_receipt(struct mkv_attempt *attempt,
			  const struct mkv_host_view *host)
{
	if (host->receipt == MKV_RECEIPT_PASS)
		return true;
	if (host->receipt == MKV_RECEIPT_BROKEN)
		mkv_attempt_note(attempt, MKV_REASON_RECEIPT_BROKEN,
				 "the receipt of '%s' is broken", host->name);
	else
		mkv_attempt_note(attempt, MKV_REASON_RECEIPT_FAILED,
				 "the receipt of '%s' has not passed",
				 host->name);
	return false;
}

static bool check_host(struct mkv_attempt *attempt, const struct mkv_view *view,
		       const struct mkv_host_view *host)
{
	int64_t silent_ns = view->now_ns - host->heard_ns;
	if (!host->answers) {
		if (silent_ns <= attempt->limits.silent_ns)
			return true;
		mkv_attempt_note(attempt, MKV_REASON_HOST_SILENT,
				 "the agent of '%s' has not answered for %lld "
				 "s",
				 host->name,
				 (long long)(silent_ns / MKV_NS_PER_S));
		return false;
	}
	if (host->is_other) {
		mkv_attempt_note(attempt, MKV_REASON_HOST_REBOOTED, "'%s': %s",
				 host->name,
				 host->mismatch ? host->mismatch
						: "another boot");
		return false;
	}
	return check_receipt(attempt, host);
}

/* Notes whatever makes going on pointless. Looks at all hosts: each reason is
 * recorded. */
static bool can_go_on(struct mkv_attempt *attempt, const struct mkv_view *view)
{
	const struct {
		const char *message;
		enum mkv_reason reason;
	} rows[] = {
		{view->stop, MKV_REASON_INTERRUPTED},
		{view->disk_full, MKV_REASON_DISK_FULL},
		{view->clock_stepped, MKV_REASON_CLOCK_STEPPED},
	};
	bool goes_on = !view->restarted;
	if (view->restarted)
		mkv_attempt_note(attempt, MKV_REASON_SERVICE_FAILED,
				 "service '%s' was restarted in the run",
				 view->restarted);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!rows[i].message)
			continue;
		mkv_attempt_note(attempt, rows[i].reason, "%s",
				 rows[i].message);
		goes_on = false;
	}
	for (size_t i = 0; i < view->n_hosts; i++)
		if (!check_host(attempt, view, &view->hosts[i]))
			goes_on = false;
	return goes_on;
}

static bool all_answer(const struct mkv_view *view)
{
	for (size_t i = 0; i < view->n_hosts; i++)
		if (!view->hosts[i].answers)
			return false;
	return true;
}

static bool is_working(const struct mkv_view *view)
{
	for (size_t i = 0; i < view->n_hosts; i++)
		if (view->hosts[i].step_state == MKV_STEP_WORKING)
			return true;
	return false;
}

enum progress { SENDING, WORKING, DONE, BROKE };

/* How far all hosts are with a step. */
static enum progress look_at_step(struct mkv_attempt *attempt,
				  const struct mkv_view *view, int step)
{
	enum progress all = DONE;
	for (size_t i = 0; i < view->n_hosts; i++) {
		const struct mkv_host_view *host = &view->hosts[i];
		if (host->step == step && host->step_state == MKV_STEP_DONE)
			continue;
		if (host->step == step && host->step_state == MKV_STEP_FAILED) {
			/* A load that ended with failed requests has results.
			 */
			if (step == MKV_STEP_LOAD &&
			    view->load == MKV_LOAD_DONE)
				continue;
			mkv_attempt_note(attempt, MKV_REASON_SERVICE_FAILED,
					 "'%s': %s failed: %s", host->name,
					 mkv_command_step_name(
						 (enum mkv_command_step)step),
					 host->error ? host->error
						     : "no error given");
			return BROKE;
		}
		if (host->step != step && host->refused &&
		    host->refused_step == step) {
			mkv_attempt_note(attempt, MKV_REASON_SERVICE_FAILED,
					 "'%s' refused %s: %s", host->name,
					 mkv_command_step_name(
						 (enum mkv_command_step)step),
					 host->refused);
			return BROKE;
		}
		if (host->step != step)
			all = SENDING;
		else if (all == DONE)
			all = WORKING;
	}
	return all;
}

static bool is_overdue(const struct mkv_attempt *attempt,
		       const struct mkv_view *view, int64_t limit_ns)
{
	return view->now_ns - attempt->stage_ns > limit_ns;
}

/* A stage that ends when all hosts have done a step. */
static enum mkv_action run_step(struct mkv_attempt *attempt,
				const struct mkv_view *view, int step,
				enum mkv_action send, int64_t limit_ns,
				enum mkv_stage next)
{
	switch (look_at_step(attempt, view, step)) {
	case DONE:
		enter_stage(attempt, next, view);
		return mkv_attempt_next(attempt, view);
	case BROKE:
		return give_up(attempt, view);
	case SENDING:
	case WORKING:
		break;
	}
	if (limit_ns && is_overdue(attempt, view, limit_ns)) {
		mkv_attempt_note(
			attempt, MKV_REASON_SERVICE_FAILED,
			"%s is not done after %lld s",
			mkv_command_step_name((enum mkv_command_step)step),
			(long long)(limit_ns / MKV_NS_PER_S));
		return give_up(attempt, view);
	}
	for (size_t i = 0; i < view->n_hosts; i++)
		if (view->hosts[i].step != step)
			return send;
	return MKV_ACTION_WAIT;
}

static enum mkv_action check(struct mkv_attempt *attempt,
			     const struct mkv_view *view)
{
	if (!all_answer(view))
		return MKV_ACTION_WAIT;
	/* An agent may still end an earlier attempt, and would refuse. */
	if (is_working(view) &&
	    !is_overdue(attempt, view, attempt->limits.prepare_ns))
		return MKV_ACTION_WAIT;
	enter_stage(attempt, MKV_STAGE_PREPARE, view);
	return mkv_attempt_next(attempt, view);
}

/* Spans of earlier requests would count as the run's. */
static enum mkv_action mark(struct mkv_attempt *attempt,
			    const struct mkv_view *view)
{
	if (view->spans_settled)
		return MKV_ACTION_MARK;
	if (!is_overdue(attempt, view, attempt->limits.drain_ns))
		return MKV_ACTION_WAIT;
	mkv_attempt_note(attempt, MKV_REASON_SERVICE_FAILED,
			 "spans of earlier requests are not exported: %s",
			 view->spans_detail ? view->spans_detail : "unknown");
	return give_up(attempt, view);
}

static enum mkv_action load(struct mkv_attempt *attempt,
			    const struct mkv_view *view)
{
	if (view->load == MKV_LOAD_MEASURED)
		begin_phase(attempt, MKV_PHASE_MEASURED, view->realtime_ns);
	if (view->load_count != attempt->load_count) {
		attempt->load_count = view->load_count;
		attempt->load_ns = view->now_ns;
	}
	if (view->load != MKV_LOAD_DONE &&
	    view->now_ns - attempt->load_ns > attempt->limits.stall_ns) {
		mkv_attempt_note(
			attempt, MKV_REASON_SERVICE_FAILED,
			"the load generator has made no progress for "
			"%lld s",
			(long long)(attempt->limits.stall_ns / MKV_NS_PER_S));
		return give_up(attempt, view);
	}
	return run_step(attempt, view, MKV_STEP_LOAD, MKV_ACTION_LOAD, 0,
			MKV_STAGE_DRAIN);
}

/* Spans that never come don't keep the rest of the run from being kept. */
static enum mkv_action drain(struct mkv_attempt *attempt,
			     const struct mkv_view *view)
{
	if (!view->spans_settled) {
		if (!is_overdue(attempt, view, attempt->limits.drain_ns))
			return MKV_ACTION_WAIT;
		mkv_attempt_note(
			attempt, MKV_REASON_SPANS_MISSING,
			"spans are missing after %lld s: %s",
			(long long)(attempt->limits.drain_ns / MKV_NS_PER_S),
			view->spans_detail ? view->spans_detail : "unknown");
	}
	enter_stage(attempt, MKV_STAGE_METRICS, view);
	return mkv_attempt_next(attempt, view);
}

/* The window ends with a scrape after the last answer. */
static enum mkv_action metrics(const struct mkv_attempt *attempt,
			       const struct mkv_view *view)
{
	int64_t since_ns = view->now_ns - attempt->load_ns;
	return since_ns < attempt->limits.scrape_ns + SCRAPE_MARGIN_NS
		       ? MKV_ACTION_WAIT
		       : MKV_ACTION_METRICS;
}

static bool is_aborted(const struct mkv_attempt *attempt,
		       const struct mkv_view *view,
		       const struct mkv_host_view *host)
{
	if (!host->answers)
		return is_overdue(attempt, view, ABORT_UNHEARD_NS);
	if (host->is_other ||
	    (host->refused && host->refused_step == MKV_STEP_ABORT &&
	     host->step_state != MKV_STEP_WORKING))
		return true;
	return host->step == MKV_STEP_ABORT &&
	       host->step_state != MKV_STEP_WORKING;
}

static enum mkv_action abort_attempt(struct mkv_attempt *attempt,
				     const struct mkv_view *view)
{
	bool is_done = true, sends = false;
	for (size_t i = 0; i < view->n_hosts; i++) {
		const struct mkv_host_view *host = &view->hosts[i];
		if (is_aborted(attempt, view, host))
			continue;
		is_done = false;
		sends |= host->step != MKV_STEP_ABORT;
	}
	if (!is_done && !is_overdue(attempt, view, attempt->limits.abort_ns))
		return sends ? MKV_ACTION_ABORT : MKV_ACTION_WAIT;
	enter_stage(attempt, MKV_STAGE_COLLECT, view);
	return MKV_ACTION_COLLECT;
}

enum mkv_action mkv_attempt_next(struct mkv_attempt *attempt,
				 const struct mkv_view *view)
{
	if (attempt->stage < MKV_STAGE_ABORT && !can_go_on(attempt, view))
		return give_up(attempt, view);
	switch (attempt->stage) {
	case MKV_STAGE_CHECK:
		return check(attempt, view);
	case MKV_STAGE_PREPARE:
		return run_step(attempt, view, MKV_STEP_PREPARE,
				MKV_ACTION_PREPARE, attempt->limits.prepare_ns,
				MKV_STAGE_MARK);
	case MKV_STAGE_MARK:
		return mark(attempt, view);
	case MKV_STAGE_LOAD:
		return load(attempt, view);
	case MKV_STAGE_DRAIN:
		return drain(attempt, view);
	case MKV_STAGE_METRICS:
		return metrics(attempt, view);
	case MKV_STAGE_FINISH:
		return run_step(attempt, view, MKV_STEP_FINISH,
				MKV_ACTION_FINISH, attempt->limits.finish_ns,
				MKV_STAGE_COLLECT);
	case MKV_STAGE_ABORT:
		return abort_attempt(attempt, view);
	case MKV_STAGE_COLLECT:
		return MKV_ACTION_COLLECT;
	case MKV_STAGE_SEAL:
		return MKV_ACTION_SEAL;
	case MKV_STAGE_END:
		break;
	}
	return MKV_ACTION_END;
}

/* What a stage's failed action leads to: an attempt that can't be measured is
 * given up, one that was measured keeps what there is. */
void mkv_attempt_acted(struct mkv_attempt *attempt, const struct mkv_view *view,
		       bool succeeded, enum mkv_reason reason,
		       const char *message)
{
	if (!succeeded)
		mkv_attempt_note(attempt, reason, "%s",
				 message ? message : "unknown");
	switch (attempt->stage) {
	case MKV_STAGE_MARK:
		attempt->gave_up |= !succeeded;
		enter_stage(attempt,
			    succeeded ? MKV_STAGE_LOAD : MKV_STAGE_ABORT, view);
		break;
	case MKV_STAGE_METRICS:
		enter_stage(attempt, MKV_STAGE_FINISH, view);
		break;
	case MKV_STAGE_COLLECT:
		enter_stage(attempt, MKV_STAGE_SEAL, view);
		break;
	case MKV_STAGE_SEAL:
		enter_stage(attempt, MKV_STAGE_END, view);
		break;
	default:
		break;
	}
}

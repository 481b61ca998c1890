/* SPDX-License-Identifier: MIT */
/* The journal read anew, independent of the writer's own state. */
#include <string.h>

#include "builder/evidence/audit_bundle/internal.h"
#include "lib/grow.h"

enum { ATTEMPT_MAX = 1000 };

struct reading {
	struct mkv_bundle_audit *at;
	uint64_t line; /* from 1 */
	uint64_t sequence;
	unsigned *ordered; /* by run: the largest attempt that was ordered */
	size_t begun;	   /* one more than the last run that was begun */
	bool has_plan, is_complete;
	json_t *counts; /* of `complete` */
};

static void find(const struct reading *reading, const char *format, ...)
	mkv_printf(2, 3);
static void find(const struct reading *reading, const char *format, ...)
{
	char why[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	mkv_bundle_find(reading->at, MKV_JOURNAL_NAME, "line %ju: %s",
			(uintmax_t)reading->line, why);
}

/* The plan's run of an event; NULL after a finding. */
static const struct mkv_plan_run *find_run(const struct reading *reading,
					   const json_t *line,
					   unsigned *ret_attempt)
{
	const struct mkv_plan *plan = reading->at->plan;
	const char *id = json_string_value(json_object_get(line, "run"));
	json_int_t attempt =
		json_integer_value(json_object_get(line, "attempt"));
	const struct mkv_plan_run *run =
		id ? mkv_plan_find_run(plan, id) : NULL;
	if (!run) {
		find(reading, "'%.100s' isn't a run of the plan", id ? id : "");
		return NULL;
	}
	if (attempt < 1 || attempt > (json_int_t)plan->limits.attempts) {
		find(reading,
		     "attempt %jd of run '%s' is beyond the plan's allowance "
		     "of %u",
		     (intmax_t)attempt, run->id, plan->limits.attempts);
		if (attempt < 1 || attempt > ATTEMPT_MAX)
			return NULL;
	}
	*ret_attempt = (unsigned)attempt;
	return run;
}

static void visit_plan(struct reading *reading, const json_t *line)
{
	const char *sha256 =
		json_string_value(json_object_get(line, "plan_sha256"));
	if (reading->has_plan)
		find(reading, "a second plan");
	if (!sha256 || strcmp(sha256, reading->at->plan_sha256) != 0)
		find(reading, "names another plan than plan.json");
	reading->has_plan = true;
}

static int visit_boot(struct reading *reading, const json_t *line,
		      struct mkv_error *err)
{
	auto_free char *word = NULL;
	const char *host = json_string_value(json_object_get(line, "host"));
	const char *boot = json_string_value(json_object_get(line, "boot_id"));
	const char *contract =
		json_string_value(json_object_get(line, "contract"));
	if (!host || !boot || !contract) {
		find(reading, "a boot without host, boot_id or contract");
		return 0;
	}
	if (asprintf(&word, "%s %s %s", contract, host, boot) < 0) {
		word = NULL;
		return mkv_oom(err);
	}
	return mkv_strings_insert(&reading->at->boots, word, err);
}

static bool is_step(const char *step)
{
	static const char *const steps[] = {"prepare", "load", "finish",
					    "abort", "discard"};
	for (size_t i = 0; step && i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(step, steps[i]) == 0)
			return true;
	return false;
}

/* The first command of each run must come in the order of the plan. */
static void check_order(struct reading *reading, const struct mkv_plan_run *run,
			unsigned attempt)
{
	const struct mkv_bundle_audit *at = reading->at;
	size_t index = (size_t)(run - at->plan->runs);
	if (at->valid[index])
		find(reading,
		     "attempt %u of run '%s' was ordered after its valid "
		     "attempt %u",
		     attempt, run->id, at->valid[index]);
	if (attempt < reading->ordered[index])
		find(reading, "attempt %u of run '%s' comes after attempt %u",
		     attempt, run->id, reading->ordered[index]);
	if (reading->ordered[index] == 0 && index < reading->begun)
		find(reading,
		     "run '%s' was begun after '%s', against the plan's order",
		     run->id, at->plan->runs[reading->begun - 1].id);
	if (attempt > reading->ordered[index])
		reading->ordered[index] = attempt;
	if (index >= reading->begun)
		reading->begun = index + 1;
}

static void visit_command(struct reading *reading, const json_t *line)
{
	unsigned attempt = 0;
	json_int_t sequence =
		json_integer_value(json_object_get(line, "sequence"));
	const char *step = json_string_value(json_object_get(line, "step"));
	const struct mkv_plan_run *run = find_run(reading, line, &attempt);
	if (sequence < 1 || (uint64_t)sequence <= reading->sequence)
		find(reading,
		     "sequence %jd isn't larger than the one before, %ju",
		     (intmax_t)sequence, (uintmax_t)reading->sequence);
	else
		reading->sequence = (uint64_t)sequence;
	if (!is_step(step))
		find(reading, "'%.40s' isn't a step", step ? step : "");
	else if (run && strcmp(step, "discard") != 0)
		check_order(reading, run, attempt);
}

static void check_attempt(struct reading *reading,
			  const struct mkv_bundle_event *event,
			  const struct mkv_plan_run *run)
{
	const struct mkv_bundle_audit *at = reading->at;
	if (event->attempt > reading->ordered[event->run])
		find(reading, "attempt %u of run '%s' was never ordered",
		     event->attempt, run->id);
	for (size_t i = 0; i + 1 < at->n_events; i++)
		if (at->events[i].run == event->run &&
		    at->events[i].attempt == event->attempt)
			find(reading, "attempt %u of run '%s' is there twice",
			     event->attempt, run->id);
	if (event->is_valid && at->valid[event->run])
		find(reading, "run '%s' has two valid attempts, %u and %u",
		     run->id, at->valid[event->run], event->attempt);
	if (event->is_valid == (json_array_size(event->reasons) > 0))
		find(reading, "`valid` contradicts the reasons");
	if (event->is_valid && !event->files)
		find(reading, "a valid attempt without files");
}

static int visit_attempt(struct reading *reading, const json_t *line,
			 struct mkv_error *err)
{
	struct mkv_bundle_audit *at = reading->at;
	unsigned attempt = 0;
	const struct mkv_plan_run *run = find_run(reading, line, &attempt);
	json_t *files = json_object_get(line, "files");
	json_t *reasons = json_object_get(line, "reasons");
	const json_t *digest = json_object_get(files, "run.json");
	if (!run)
		return 0;
	struct mkv_bundle_event *event = mkv_grow(&at->events, &at->n_events);
	if (!event)
		return mkv_oom(err);
	*event = (struct mkv_bundle_event){
		.run = (size_t)(run - at->plan->runs),
		.attempt = attempt,
		.is_valid = json_is_true(json_object_get(line, "valid")),
		.files = json_is_object(files) ? json_incref(files) : NULL,
		.reasons = json_is_array(reasons) ? json_incref(reasons) : NULL,
		.time_ns = json_integer_value(json_object_get(line, "time_ns")),
	};
	if (!json_is_boolean(json_object_get(line, "valid")) || !event->reasons)
		find(reading, "an attempt without `valid` or `reasons`");
	if (event->files &&
	    (!digest || !json_equal(digest, json_object_get(line, "sha256"))))
		find(reading, "`sha256` isn't the digest of run.json");
	check_attempt(reading, event, run);
	if (event->is_valid && !at->valid[event->run])
		at->valid[event->run] = attempt;
	return 0;
}

static int visit_line(const json_t *line, void *context, struct mkv_error *err)
{
	struct reading *reading = context;
	const char *event = json_string_value(json_object_get(line, "event"));
	reading->line++;
	if (!reading->has_plan && strcmp(event, "plan") != 0)
		find(reading, "the first event isn't 'plan'");
	if (reading->is_complete)
		find(reading, "an event after 'complete'");
	if (strcmp(event, "plan") == 0)
		visit_plan(reading, line);
	else if (strcmp(event, "boot") == 0)
		return visit_boot(reading, line, err);
	else if (strcmp(event, "command") == 0)
		visit_command(reading, line);
	else if (strcmp(event, "attempt") == 0)
		return visit_attempt(reading, line, err);
	else if (strcmp(event, "complete") == 0)
		reading->is_complete = true;
	return 0;
}

/* Attempts that were ordered and of which the journal says no more. */
static void check_ordered(const struct reading *reading)
{
	struct mkv_bundle_audit *at = reading->at;
	for (size_t run = 0; run < at->plan->n_runs; run++)
		for (unsigned n = 1; n <= reading->ordered[run]; n++) {
			bool known = false;
			for (size_t i = 0; !known && i < at->n_events; i++)
				known = at->events[i].run == run &&
					at->events[i].attempt == n;
			if (!known)
				mkv_bundle_find(
					at, MKV_JOURNAL_NAME,
					"attempt %u of run '%s' was ordered "
					"and has no result",
					n, at->plan->runs[run].id);
		}
}

static int read_journal(struct reading *reading, struct mkv_error *err)
{
	struct mkv_bundle_audit *at = reading->at;
	struct mkv_journal_end end = {0};
	auto_fd int fd = -1;
	int rc = mkv_audit_open(&at->audit, MKV_JOURNAL_NAME, &fd);
	if (rc < 0) {
		mkv_bundle_find(at, MKV_JOURNAL_NAME, "%s",
				rc == -EINVAL ? "isn't a regular file"
					      : strerror(-rc));
		return 0;
	}
	rc = mkv_journal_read(fd, visit_line, reading, &end, err);
	if (rc < 0)
		return mkv_bundle_find_error(at, MKV_JOURNAL_NAME, rc, err);
	if (end.torn_bytes)
		mkv_bundle_find(at, MKV_JOURNAL_NAME,
				"its last line is incomplete: %ju bytes",
				(uintmax_t)end.torn_bytes);
	if (!reading->has_plan)
		mkv_bundle_find(at, MKV_JOURNAL_NAME, "has no event 'plan'");
	if (at->report->is_finished && !reading->is_complete)
		mkv_bundle_find(at, MKV_JOURNAL_NAME,
				"has no event 'complete'");
	check_ordered(reading);
	return 0;
}

int mkv_bundle_audit_journal(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	auto_free unsigned *ordered =
		calloc(at->plan->n_runs, sizeof(*ordered));
	struct reading reading = {.at = at, .ordered = ordered};
	return ordered ? read_journal(&reading, err) : mkv_oom(err);
}

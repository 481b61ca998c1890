/* SPDX-License-Identifier: MIT */
/* What the journal's events mean for the campaign. */
#include <string.h>

#include "builder/evidence/bundle/bundle_internal.h"
#include "lib/grow.h"

enum { ATTEMPT_MAX = 1000 };

int mkv_bundle_state_init(struct mkv_bundle_state *state,
			  const struct mkv_plan *plan, const char *plan_sha256,
			  struct mkv_error *err)
{
	*state = (struct mkv_bundle_state){.plan = plan,
					   .plan_sha256 = plan_sha256};
	state->runs = calloc(plan->n_runs, sizeof(*state->runs));
	return state->runs || plan->n_runs == 0 ? 0 : mkv_oom(err);
}

void mkv_bundle_state_done(struct mkv_bundle_state *state)
{
	for (size_t i = 0; i < state->n_attempts; i++)
		mkv_sums_free(state->attempts[i].files);
	free(state->attempts);
	free(state->runs);
	mkv_strings_done(&state->boots);
	*state = (struct mkv_bundle_state){0};
}

/* The run and the attempt that an event names. */
static struct mkv_bundle_run *read_run(const struct mkv_bundle_state *state,
				       struct mkv_json_reader *r,
				       const json_t *line, size_t *ret_index,
				       unsigned *ret_attempt)
{
	const char *id = mkv_json_string(r, line, "run", true);
	*ret_attempt = (unsigned)mkv_json_integer(r, line, "attempt", 1,
						  ATTEMPT_MAX, true, 1);
	if (r->rc < 0)
		return NULL;
	const struct mkv_plan_run *run = mkv_plan_find_run(state->plan, id);
	if (!run) {
		mkv_json_mistake(r, "run", "'%.100s' isn't a run of the plan",
				 id);
		return NULL;
	}
	*ret_index = (size_t)(run - state->plan->runs);
	return &state->runs[*ret_index];
}

static void visit_plan(struct mkv_bundle_state *state,
		       struct mkv_json_reader *r, const json_t *line)
{
	const char *sha256 = mkv_json_string(r, line, "plan_sha256", true);
	if (r->rc >= 0 && strcmp(sha256, state->plan_sha256) != 0)
		mkv_json_mistake(r, "plan_sha256", "is another plan's");
	state->began_ns = json_integer_value(json_object_get(line, "time_ns"));
	state->has_plan = true;
}

static void visit_boot(struct mkv_bundle_state *state,
		       struct mkv_json_reader *r, const json_t *line)
{
	auto_free char *word = NULL;
	const char *host = mkv_json_string(r, line, "host", true);
	const char *boot = mkv_json_string(r, line, "boot_id", true);
	const char *contract = mkv_json_string(r, line, "contract", true);
	if (r->rc < 0)
		return;
	if (asprintf(&word, "%s %s %s", contract, host, boot) < 0) {
		word = NULL;
		r->rc = mkv_oom(r->err);
		return;
	}
	r->rc = mkv_strings_insert(&state->boots, word, r->err);
}

static void visit_command(struct mkv_bundle_state *state,
			  struct mkv_json_reader *r, const json_t *line)
{
	size_t index = 0;
	unsigned attempt = 0;
	uint64_t sequence = (uint64_t)mkv_json_integer(r, line, "sequence", 1,
						       INT64_MAX, true, 1);
	struct mkv_bundle_run *run = read_run(state, r, line, &index, &attempt);
	if (!run)
		return;
	if (sequence <= state->sequence)
		mkv_json_mistake(r, "sequence", "isn't larger than before");
	state->sequence = sequence;
	if (attempt > run->attempts) {
		run->attempts = attempt;
		run->is_pending = true;
	}
}

/* The digests of the files of an attempt; of run.json among them. */
static void read_files(struct mkv_json_reader *r, const json_t *line,
		       struct mkv_bundle_attempt *attempt)
{
	json_t *files = mkv_json_member(r, line, "files", JSON_OBJECT, true);
	const char *name;
	json_t *value;
	attempt->files = mkv_sums_new();
	if (!attempt->files) {
		r->rc = mkv_oom(r->err);
		return;
	}
	json_object_foreach(files, name, value)
	{
		struct mkv_sha256 sha256;
		const char *hex = mkv_json_value_text(r, value);
		if (r->rc < 0)
			return;
		if (mkv_sha256_parse(hex, &sha256) < 0) {
			mkv_json_mistake(r, "files", "has no SHA-256");
			return;
		}
		r->rc = mkv_sums_add(attempt->files, name, &sha256, r->err);
		if (r->rc < 0)
			return;
		if (strcmp(name, "run.json") == 0) {
			attempt->sha256 = sha256;
			attempt->has_files = true;
		}
	}
	if (!attempt->has_files)
		mkv_json_mistake(r, "files", "has no run.json");
}

static void visit_attempt(struct mkv_bundle_state *state,
			  struct mkv_json_reader *r, const json_t *line)
{
	struct mkv_bundle_attempt read = {0};
	struct mkv_bundle_run *run =
		read_run(state, r, line, &read.run, &read.attempt);
	if (!run)
		return;
	struct mkv_bundle_attempt *attempt =
		mkv_grow(&state->attempts, &state->n_attempts);
	if (!attempt) {
		r->rc = mkv_oom(r->err);
		return;
	}
	*attempt = read;
	attempt->is_valid = mkv_json_boolean(r, line, "valid") == 1;
	if (json_object_get(line, "files"))
		read_files(r, line, attempt);
	if (attempt->is_valid && run->valid)
		mkv_json_mistake(r, "valid", "the run has a valid attempt");
	if (attempt->is_valid)
		run->valid = attempt->attempt;
	if (attempt->attempt >= run->attempts)
		run->is_pending = false;
	if (attempt->attempt > run->attempts)
		run->attempts = attempt->attempt;
	run->adopted++;
}

int mkv_bundle_state_visit(const json_t *line, void *context,
			   struct mkv_error *err)
{
	struct mkv_bundle_state *state = context;
	struct mkv_json_reader r;
	const char *event = json_string_value(json_object_get(line, "event"));
	mkv_json_reader_init(&r, err);
	if (!state->has_plan && strcmp(event, "plan") != 0)
		mkv_json_mistake(&r, "event", "the first must be 'plan'");
	if (strcmp(event, "plan") == 0)
		visit_plan(state, &r, line);
	else if (strcmp(event, "boot") == 0)
		visit_boot(state, &r, line);
	else if (strcmp(event, "command") == 0)
		visit_command(state, &r, line);
	else if (strcmp(event, "attempt") == 0)
		visit_attempt(state, &r, line);
	else if (strcmp(event, "complete") == 0) {
		state->is_complete = true;
		state->completed_ns =
			json_integer_value(json_object_get(line, "time_ns"));
	}
	return r.rc;
}

/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/seal.h"

#include <fcntl.h>
#include <string.h>

#include "lib/io.h"

enum { SUMMARY_MAX = 1024 * 1024 };

json_t *mkv_phases_pack(const struct mkv_attempt *attempt)
{
	json_t *list = json_array();
	for (size_t i = 0; list && i < attempt->n_phases; i++) {
		const struct mkv_phase_time *phase = &attempt->phases[i];
		(void)json_array_append_new(
			list,
			json_pack("{ss sI so}", "name",
				  mkv_phase_name(phase->phase), "start_ns",
				  (json_int_t)phase->start_realtime_ns,
				  "end_ns",
				  phase->end_realtime_ns
					  ? json_integer(phase->end_realtime_ns)
					  : json_null()));
	}
	return list;
}

static int read_rows(const char *directory, int64_t status,
		     struct mkv_run_facts *facts, struct mkv_error *err)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/load.csv", directory);
	auto_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open load.csv: %m");
	int rc = mkv_facts_read_rows(fd, status, facts, err);
	return rc < 0 ? mkv_wrap(err, rc, "load.csv") : 0;
}

static int read_load(const struct mkv_seal *seal, const char *directory,
		     json_t **ret_summary, struct mkv_run_facts *facts,
		     struct mkv_error *err)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/load-summary.json", directory);
	int rc = mkv_json_load_file(AT_FDCWD, path, SUMMARY_MAX, ret_summary,
				    err);
	if (rc < 0)
		return mkv_wrap(err, rc, "load-summary.json");
	rc = mkv_facts_read_summary(*ret_summary, facts, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "load-summary.json");
	return read_rows(directory, mkv_order_status(seal->order, seal->self),
			 facts, err);
}

static const char *first_word(unsigned set)
{
	for (unsigned i = 0; i < MKV_REASONS; i++)
		if (set & 1U << i)
			return mkv_reason_name((enum mkv_reason)i);
	return "";
}

/* Adds what the results say to what was noticed before. */
static void judge(const struct mkv_seal *seal, struct mkv_attempt *attempt,
		  const char *directory, json_t **ret_summary,
		  struct mkv_span_facts *spans)
{
	struct mkv_run_facts facts = {0};
	struct mkv_error err;
	const struct mkv_plan *plan = seal->order->plan;
	int rc = read_load(seal, directory, ret_summary, &facts, &err);
	if (rc < 0) {
		if (!attempt->gave_up)
			mkv_attempt_note(attempt, MKV_REASON_SERVICE_FAILED,
					 "the load generator's results: %s",
					 err.message);
		return;
	}
	if (spans->is_counted)
		spans->expected += facts.spans_ended;
	spans->dropped += facts.spans_dropped;
	/* The load was ended for a reason that is known, and what it lacks
	 * follows from that. */
	if (attempt->gave_up)
		return;
	const struct mkv_validity_limits limits = {
		.requests = (uint64_t)plan->load.warm_up + plan->load.measured,
		.lateness_ns = plan->limits.lateness_ns,
		.rate_ppb = plan->limits.rate.ppb,
	};
	unsigned found = mkv_validity_find(&facts, spans, &limits);
	if (found && !*attempt->error)
		(void)snprintf(attempt->error, sizeof(attempt->error),
			       "the run does not count: %s", first_word(found));
	attempt->reasons |= found;
}

static json_t *pack_boots(const struct mkv_run_order *order)
{
	const struct mkv_contract_pairs *boots =
		&mkv_order_command(order)->boots;
	json_t *map = json_object();
	for (size_t i = 0; map && i < boots->count; i++)
		(void)json_object_set_new(map, boots->items[i].key,
					  json_string(boots->items[i].value));
	return map;
}

static json_t *pack_run(const struct mkv_seal *seal,
			const struct mkv_attempt *attempt,
			const struct mkv_span_facts *spans, json_t *summary)
{
	const struct mkv_run_order *order = seal->order;
	json_t *json = json_pack(
		"{sI ss sI ss sI sI ss ss so so so sb so ss ss}",
		"mkvbench_run", (json_int_t)1, "run", order->run->id, "attempt",
		(json_int_t)order->attempt, "arm", order->arm->name, "block",
		(json_int_t)order->run->block, "slot",
		(json_int_t)order->run->slot, "plan_sha256", order->plan_hex,
		"contract_sha256", seal->self->contract_hex, "boots",
		pack_boots(order), "phases", mkv_phases_pack(attempt), "load",
		summary ? json_incref(summary) : json_null(), "valid",
		attempt->reasons == 0, "reasons",
		mkv_reasons_pack(attempt->reasons), "tracing",
		order->arm->tracing, "tool_version", MKV_VERSION);
	json_t *counts = json_pack("{sI sI sI sI}", "expected",
				   (json_int_t)spans->expected, "received",
				   (json_int_t)spans->received, "dropped",
				   (json_int_t)spans->dropped, "drain_ns",
				   (json_int_t)seal->drain_ns);
	if (!json || json_object_set_new(json, "spans", counts) < 0 ||
	    json_object_set_new(json, "error",
				*attempt->error ? json_string(attempt->error)
						: json_null()) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* The measurement of a short run may lie between two looks at its progress;
 * the load generator's clock, which the receipts bound, has its begin. */
static void complete_phases(struct mkv_attempt *attempt, const json_t *summary)
{
	int64_t began_ns = json_integer_value(
		json_object_get(summary, "measured_began_realtime_ns"));
	for (size_t i = 0; i < attempt->n_phases; i++)
		if (attempt->phases[i].phase == MKV_PHASE_MEASURED)
			return;
	for (size_t i = 0; i < attempt->n_phases; i++) {
		struct mkv_phase_time *phase = &attempt->phases[i];
		if (phase->phase != MKV_PHASE_WARM_UP ||
		    began_ns < phase->start_realtime_ns ||
		    began_ns > phase->end_realtime_ns)
			continue;
		memmove(phase + 2, phase + 1,
			(attempt->n_phases - i - 1) * sizeof(*phase));
		attempt->n_phases++;
		phase[1] = (struct mkv_phase_time){MKV_PHASE_MEASURED, began_ns,
						   phase->end_realtime_ns};
		phase->end_realtime_ns = began_ns;
		return;
	}
}

int mkv_seal_write(const struct mkv_seal *seal, struct mkv_attempt *attempt,
		   const char *directory, struct mkv_error *err)
{
	char path[4096];
	auto_buf struct mkv_buf text = {0};
	auto_json json_t *summary = NULL;
	struct mkv_span_facts spans = seal->spans;
	judge(seal, attempt, directory, &summary, &spans);
	complete_phases(attempt, summary);
	if (attempt->n_phases)
		attempt->phases[attempt->n_phases - 1].end_realtime_ns =
			seal->now_realtime_ns;
	auto_json json_t *run = pack_run(seal, attempt, &spans, summary);
	if (!run)
		return mkv_oom(err);
	int rc = mkv_json_dump(run, &text, err);
	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/run.json", directory);
	return mkv_write_file(path, 0644, text.data, text.size, err);
}

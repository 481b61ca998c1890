/* SPDX-License-Identifier: MIT */
#include "builder/run/campaign/conduct.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "builder/run/campaign/client.h"
#include "builder/run/campaign/collect.h"
#include "builder/run/campaign/order.h"
#include "builder/run/campaign/ready.h"
#include "lib/clock.h"

enum {
	POLL_MS = 1000,
	SILENT_S = 30, /* then a note says so, and again each minute */
	SILENT_AGAIN_S = 60,
	REFUSED_S = 60, /* a busy conductor is asked again that long */
};

/* One call of mkv_conduct_run(). */
struct conducting {
	const struct mkv_conduct *conduct;
	struct mkv_client *client;
	char address[MKV_TARGET_ADDRESS_MAX];
	struct mkv_boots boots;
	struct mkv_state state; /* the last one */
	struct mkv_conduct_status status;
	int64_t measured_ns; /* of `measured` attempts of this call */
	unsigned measured;
	int64_t note_ns;     /* of the last note about silence */
	char obstacles[512]; /* the last ones that were reported */
};

static void mkv_printf(2, 3)
	report_note(const struct conducting *c, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (c->conduct->on_note)
		c->conduct->on_note(text, c->conduct->context);
}

static void report_status(struct conducting *c, const char *phase)
{
	size_t left = c->status.total - c->status.done;
	c->status.phase = phase;
	c->status.state = c->state.document ? &c->state : NULL;
	c->status.left_s = c->measured ? c->measured_ns / c->measured /
						 MKV_NS_PER_S * (int64_t)left
				       : -1;
	if (c->conduct->on_status)
		c->conduct->on_status(&c->status, c->conduct->context);
}

/* Waits a second. -EINTR when the campaign was stopped. */
static int pause_polling(const struct conducting *c, struct mkv_error *err)
{
	const struct timespec time = {.tv_nsec = 0, .tv_sec = POLL_MS / 1000};
	if (!*c->conduct->stop)
		(void)nanosleep(&time, NULL);
	if (!*c->conduct->stop)
		return 0;
	return mkv_fail(err, MKV_FAILED, EINTR,
			"the campaign was interrupted: the same "
			"command goes on where it ended");
}

/* The journal's time: the collector's clock where it is known. */
static int64_t journal_time(const struct conducting *c)
{
	return c->state.realtime_ns > 0 ? c->state.realtime_ns
					: mkv_realtime_ns();
}

static const struct mkv_conduct_appliance *
appliance_of(const struct conducting *c, const struct mkv_plan_run *run)
{
	return &c->conduct->appliances[run->arm];
}

/* Asks the conductor. 1: it does not answer. */
static int query_state(struct conducting *c, struct mkv_error *err)
{
	unsigned status;
	json_t *document = NULL;
	char address[MKV_TARGET_ADDRESS_MAX];
	int rc = mkv_target_poll(c->conduct->target, address, err);
	if (rc != 0)
		return rc;
	if (!c->client || strcmp(address, c->address) != 0) {
		mkv_client_free(mkv_take(c->client));
		rc = mkv_client_new(address, &c->client, err);
		if (rc < 0)
			return rc;
		memcpy(c->address, address, sizeof(address));
	}
	rc = mkv_client_get(c->client, "/v1/state", &status, &document, err);
	if (rc < 0)
		return rc == -EHOSTDOWN ? 1 : rc;
	struct mkv_state state;
	rc = mkv_state_parse(document, &state, err);
	if (rc < 0)
		return rc;
	mkv_state_done(&c->state);
	c->state = state;
	return 0;
}

/* Reports a conductor that stays silent, seldom. */
static void note_silence(struct conducting *c, int64_t since_ns)
{
	int64_t now = mkv_monotonic_ns();
	int64_t silent_s = (now - since_ns) / MKV_NS_PER_S;
	if (silent_s < SILENT_S ||
	    (now - c->note_ns) / MKV_NS_PER_S < SILENT_AGAIN_S)
		return;
	c->note_ns = now;
	report_note(c, "the conductor%s%s has not answered for %lld s",
		    *c->address ? " at " : "", c->address, (long long)silent_s);
}

static bool is_this(const struct conducting *c, const struct mkv_plan_run *run,
		    unsigned attempt)
{
	return c->state.run && strcmp(c->state.run, run->id) == 0 &&
	       c->state.attempt == attempt;
}

/* Appends what keeps an attempt of the run from starting, if the conductor is
 * that of the run's appliance. */
static void find_obstacles(const struct conducting *c,
			   const struct mkv_plan_run *run, bool fresh,
			   struct mkv_buf *into)
{
	const struct mkv_plan_arm *arm = &c->conduct->plan->arms[run->arm];
	if (strcmp(c->state.contract_sha256, arm->contract_sha256) != 0)
		mkv_buf_printf(into,
			       "the hosts run another appliance than '%s'",
			       arm->appliance);
	else if (mkv_state_is_working(&c->state))
		mkv_buf_printf(into, "the conductor works on %.80s",
			       c->state.run ? c->state.run : "another attempt");
	else
		mkv_ready_print_obstacles(appliance_of(c, run)->contract,
					  &c->state, fresh ? &c->boots : NULL,
					  into);
}

/* Reports obstacles when they change. */
static void note_obstacles(struct conducting *c, const struct mkv_buf *text)
{
	char now[sizeof(c->obstacles)];
	(void)snprintf(now, sizeof(now), "%s", text->data ? text->data : "");
	if (strcmp(now, c->obstacles) == 0)
		return;
	memcpy(c->obstacles, now, sizeof(now));
	if (*now)
		report_note(c, "waiting: %s", now);
}

/* Waits until the conductor of the run's appliance answers and every host may
 * be measured. `fresh`: boots that the campaign has used do not count. */
static int wait_for_hosts(struct conducting *c, const struct mkv_plan_run *run,
			  bool fresh, struct mkv_error *err)
{
	int64_t since_ns = mkv_monotonic_ns();
	for (;;) {
		auto_buf struct mkv_buf obstacles = {0};
		int rc = query_state(c, err);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			since_ns = mkv_monotonic_ns();
			find_obstacles(c, run, fresh, &obstacles);
			if (!obstacles.size && !obstacles.failed)
				return 0;
			note_obstacles(c, &obstacles);
		}
		note_silence(c, since_ns);
		report_status(c, rc == 0 ? "wait" : "boot");
		rc = pause_polling(c, err);
		if (rc < 0)
			return rc;
	}
}

/* Waits until the conductor of the run's appliance answers, in any state. */
static int wait_for_conductor(struct conducting *c,
			      const struct mkv_plan_run *run,
			      struct mkv_error *err)
{
	const struct mkv_plan_arm *arm = &c->conduct->plan->arms[run->arm];
	int64_t since_ns = mkv_monotonic_ns();
	for (;;) {
		int rc = query_state(c, err);
		if (rc < 0)
			return rc;
		if (rc == 0 &&
		    strcmp(c->state.contract_sha256, arm->contract_sha256) == 0)
			return 0;
		note_silence(c, since_ns);
		report_status(c, "boot");
		rc = pause_polling(c, err);
		if (rc < 0)
			return rc;
	}
}

/* The message of an error that the conductor answered. */
static const char *answer_message(const json_t *answer)
{
	const char *text = json_string_value(
		json_object_get(json_object_get(answer, "error"), "message"));
	return text ? text : "no reason given";
}

/* Sends the attempt's commands, again while the conductor is busy. */
static int send_commands(struct conducting *c, const struct mkv_buf *body,
			 struct mkv_error *err)
{
	int64_t end_ns = mkv_monotonic_ns() + REFUSED_S * (int64_t)MKV_NS_PER_S;
	for (;;) {
		unsigned status = 0;
		auto_json json_t *answer = NULL;
		int rc = mkv_client_post(c->client, "/v1/run", body->data,
					 body->size, &status, &answer, err);
		if (rc < 0 && rc != -EHOSTDOWN)
			return rc;
		if (rc == 0 && (status == 202 || status == 200))
			return 0;
		if (rc == 0 && status != 409 && status != 503)
			return mkv_fail(err, MKV_FAILED, EPROTO,
					"the conductor refused the attempt "
					"(status %u): %.300s",
					status, answer_message(answer));
		if (mkv_monotonic_ns() > end_ns)
			return rc < 0 ? rc
				      : mkv_fail(err, MKV_FAILED, EBUSY,
						 "the conductor is busy: "
						 "%.300s",
						 answer_message(answer));
		rc = pause_polling(c, err);
		if (rc < 0)
			return rc;
	}
}

/* Follows an attempt until the conductor ended it. 1: the hosts of a target
 * that is not lasting are gone, or the conductor does not know the attempt (any
 * more). */
static int follow_attempt(struct conducting *c, const struct mkv_plan_run *run,
			  unsigned attempt, struct mkv_error *err)
{
	int64_t since_ns = mkv_monotonic_ns();
	for (;;) {
		int rc = query_state(c, err);
		if (rc < 0 && !mkv_target_is_lasting(c->conduct->target)) {
			report_note(c, "%s", err->message);
			return 1;
		}
		if (rc < 0)
			return rc;
		if (rc == 0) {
			since_ns = mkv_monotonic_ns();
			if (!is_this(c, run, attempt))
				return 1;
			if (!mkv_state_is_working(&c->state))
				return 0;
		}
		note_silence(c, since_ns);
		report_status(c, rc == 0 ? c->state.phase : "silent");
		rc = pause_polling(c, err);
		if (rc < 0)
			return rc;
	}
}

/* The conductor deletes its copy. That it cannot is no fault of the attempt,
 * which the bundle holds. */
static void discard_attempt(struct conducting *c,
			    const struct mkv_plan_run *run, unsigned attempt)
{
	struct mkv_error err = {0};
	unsigned status = 0;
	auto_buf struct mkv_buf bundle = {0};
	auto_json json_t *answer = NULL;
	int rc = mkv_order_discard(c->conduct, run, attempt, &c->state,
				   journal_time(c), &bundle, &err);
	if (rc == 0)
		rc = mkv_client_post(c->client, "/v1/command", bundle.data,
				     bundle.size, &status, &answer, &err);
	if (rc < 0)
		report_note(c, "%s stays on the collector: %s", run->id,
			    err.message);
	else if (status >= 300)
		report_note(c, "%s stays on the collector: %s", run->id,
			    answer_message(answer));
}

/* Downloads an attempt, again after interruptions. 1: there is no result. */
static int download_attempt(struct conducting *c,
			    const struct mkv_plan_run *run, unsigned attempt,
			    struct mkv_error *err)
{
	for (;;) {
		bool valid = false;
		report_status(c, "download");
		int rc = mkv_collect_attempt(c->client, c->conduct->bundle,
					     run->id, attempt, journal_time(c),
					     &valid, err);
		if (rc == 0)
			discard_attempt(c, run, attempt);
		if (rc == 0 && !valid)
			report_note(c, "%s, attempt %u, is invalid: %s",
				    run->id, attempt,
				    is_this(c, run, attempt) && c->state.error
					    ? c->state.error
					    : "see its run.json");
		if (rc != -EHOSTDOWN)
			return rc;
		report_note(c, "%s; the download goes on", err->message);
		rc = pause_polling(c, err);
		if (rc < 0)
			return rc;
	}
}

static int lose_attempt(struct conducting *c, const struct mkv_plan_run *run,
			unsigned attempt, struct mkv_error *err)
{
	report_note(c,
		    "%s, attempt %u, is lost: it was interrupted before its "
		    "results were complete",
		    run->id, attempt);
	return mkv_bundle_lose_run(c->conduct->bundle, run->id, attempt,
				   "interrupted", journal_time(c), err);
}

/* Follows an attempt to its end and takes its results, or journals its loss. */
static int finish_attempt(struct conducting *c, const struct mkv_plan_run *run,
			  unsigned attempt, struct mkv_error *err)
{
	int rc = follow_attempt(c, run, attempt, err);
	if (rc < 0)
		return rc;
	/* A conductor that was restarted may still have the results. */
	if (rc == 0 || mkv_target_is_lasting(c->conduct->target))
		rc = download_attempt(c, run, attempt, err);
	return rc == 1 ? lose_attempt(c, run, attempt, err) : rc;
}

/* Requests the hosts of the run's appliance. */
static int request_hosts(struct conducting *c, const struct mkv_plan_run *run,
			 bool fresh, struct mkv_error *err)
{
	const struct mkv_conduct_appliance *appliance = appliance_of(c, run);
	auto_free char *request = NULL;
	report_status(c, "boot");
	int rc = mkv_target_start(c->conduct->target, appliance->directory,
				  appliance->contract, fresh, &request, err);
	if (rc == 0 && request)
		report_note(c, "%s: %s", run->id, request);
	return rc;
}

static int begin_attempt(struct conducting *c, const struct mkv_plan_run *run,
			 unsigned attempt, struct mkv_error *err)
{
	bool fresh = c->conduct->plan->boots_each_run;
	auto_buf struct mkv_buf body = {0};
	int64_t began_ns = mkv_monotonic_ns();
	int rc = request_hosts(c, run, fresh, err);
	if (rc < 0)
		return rc;
	rc = wait_for_hosts(c, run, fresh, err);
	if (rc < 0)
		return rc;
	rc = mkv_boots_use(&c->boots, c->conduct->bundle, journal_time(c),
			   &c->state, err);
	if (rc < 0)
		return rc;
	rc = mkv_order_attempt(c->conduct, run, attempt, &c->state,
			       journal_time(c), &body, err);
	if (rc < 0)
		return rc;
	rc = send_commands(c, &body, err);
	if (rc < 0)
		return rc;
	rc = finish_attempt(c, run, attempt, err);
	if (rc < 0)
		return rc;
	c->measured_ns += mkv_monotonic_ns() - began_ns;
	c->measured++;
	if (fresh)
		mkv_target_stop(c->conduct->target);
	return 0;
}

/* An attempt that an earlier call ordered. */
static int resume_attempt(struct conducting *c, const struct mkv_plan_run *run,
			  unsigned attempt, struct mkv_error *err)
{
	if (!mkv_target_is_lasting(c->conduct->target))
		return lose_attempt(c, run, attempt, err);
	int rc = request_hosts(c, run, false, err);
	if (rc < 0)
		return rc;
	rc = wait_for_conductor(c, run, err);
	return rc < 0 ? rc : finish_attempt(c, run, attempt, err);
}

/* Attempts a run until one attempt is valid or none is left. */
static int complete_run(struct conducting *c, const struct mkv_plan_run *run,
			struct mkv_conduct_result *result,
			struct mkv_error *err)
{
	const struct mkv_plan *plan = c->conduct->plan;
	for (;;) {
		struct mkv_bundle_run past;
		mkv_bundle_find_run(c->conduct->bundle, run->id, &past);
		if (past.valid) {
			result->valid++;
			result->invalid += past.attempts - 1;
			c->status.done++;
			return 0;
		}
		c->status.run = run;
		c->status.arm = &plan->arms[run->arm];
		c->status.attempt = past.attempts;
		if (!past.is_pending &&
		    past.attempts >= plan->limits.attempts) {
			report_note(c,
				    "%s has no valid attempt, and none of "
				    "the plan's %u is left",
				    run->id, plan->limits.attempts);
			result->invalid += past.attempts;
			result->exhausted++;
			return 0;
		}
		c->status.attempt += !past.is_pending;
		int rc =
			past.is_pending
				? resume_attempt(c, run, past.attempts, err)
				: begin_attempt(c, run, past.attempts + 1, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "%s", run->id);
	}
}

int mkv_conduct_run(const struct mkv_conduct *conduct,
		    struct mkv_conduct_result *ret, struct mkv_error *err)
{
	struct conducting c = {.conduct = conduct};
	int rc = mkv_boots_read(conduct->bundle_path, &c.boots, err);
	c.status.total = conduct->plan->n_runs;
	*ret = (struct mkv_conduct_result){0};
	for (size_t i = 0; rc == 0 && i < conduct->plan->n_runs; i++)
		rc = complete_run(&c, &conduct->plan->runs[i], ret, err);
	mkv_client_free(c.client);
	mkv_state_done(&c.state);
	mkv_boots_done(&c.boots);
	return rc;
}

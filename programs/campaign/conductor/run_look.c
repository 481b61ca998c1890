/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "lib/clock.h"
#include "programs/campaign/conductor/run_internal.h"
#include "programs/lib/log.h"

enum { COUNT_EVERY = 5 };
#define STEP_NS (100 * (int64_t)MKV_NS_PER_MS)

static void check_clock(struct mkv_running *run)
{
	int64_t now_ns = mkv_hosts_clock_offset();
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
static void look_at_services(struct mkv_running *run)
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

static void look_at_hosts(struct mkv_running *run)
{
	struct mkv_error err;
	if (mkv_hosts_poll(&run->hosts, run->self, run->order, &err) == 0)
		return;
	mkv_log_error("agents: %s", err.message);
	for (size_t i = 0; i < run->hosts.count; i++)
		run->hosts.views[i].answers = false;
}

static const char *check_disk(const struct mkv_running *run)
{
	return mkv_self_free(run->self)
		       ? NULL
		       : "less than the spare is free on the disk of "
			 "the conductor";
}

static const char *check_restarts(struct mkv_running *run)
{
	struct mkv_span_counts ignored;
	return run->has_mark && run->counts_spans
		       ? mkv_services_sum(&run->services, &ignored)
		       : NULL;
}

struct mkv_view mkv_run_look(struct mkv_running *run)
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

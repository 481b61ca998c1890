/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/sync.h"
#include "programs/campaign/conductor/run_internal.h"
#include "programs/lib/log.h"

enum { LOG_MAX = 256 * 1024 };

void mkv_run_note(struct mkv_running *run, const char *format, ...)
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

static void acted(struct mkv_running *run, const struct mkv_view *view, int rc,
		  enum mkv_reason reason, const struct mkv_error *err)
{
	if (rc == -ENOSPC)
		reason = MKV_REASON_DISK_FULL;
	if (rc < 0)
		mkv_run_note(run, "%s", err->message);
	mkv_attempt_acted(&run->attempt, view, rc >= 0, reason,
			  rc < 0 ? err->message : NULL);
}

/* Where the run's spans begin, and how often Prometheus looks: a window by the
 * plan's interval would miss the samples around the measurement if the image
 * has a longer one. */
static int mark(struct mkv_running *run, struct mkv_error *err)
{
	int64_t interval_ns;
	int rc = mkv_gather_mark(run->self, &run->mark, err);
	if (rc < 0)
		return rc;
	rc = mkv_gather_interval(run->self, &interval_ns, err);
	if (rc < 0)
		return rc;
	if (interval_ns != run->attempt.limits.scrape_ns)
		mkv_run_note(
			run,
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
static bool can_wait_for_mark(const struct mkv_running *run,
			      const struct mkv_view *view)
{
	return view->now_ns - run->attempt.stage_ns <
	       run->attempt.limits.silent_ns;
}

static int fetch_metrics(struct mkv_running *run, struct mkv_error *err)
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

static int collect_spans(struct mkv_running *run, struct mkv_error *err)
{
	if (!run->has_mark)
		return 0;
	return mkv_gather_spans(run->self, &run->mark, run->directory,
				&run->spans.received, err);
}

/* Everything that can be had, whatever else fails. Returns the first error. */
static int collect(struct mkv_running *run, enum mkv_reason *ret_reason,
		   struct mkv_error *err)
{
	struct mkv_error other;
	int rc = collect_spans(run, err);
	*ret_reason = MKV_REASON_SERVICE_FAILED;
	for (size_t i = 0; i < run->hosts.count; i++) {
		const struct mkv_conducted_host *host = &run->hosts.items[i];
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
			mkv_run_note(run, "%s", other.message);
		}
	}
	return rc;
}

static int write_log(struct mkv_running *run, struct mkv_error *err)
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

static int seal_once(struct mkv_running *run, struct mkv_error *err)
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
static int seal(struct mkv_running *run, struct mkv_error *err)
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

static void send_command(struct mkv_running *run, enum mkv_command_step step)
{
	struct mkv_error err;
	if (mkv_hosts_send(&run->hosts, run->order, step, &err) < 0)
		mkv_log_error("%s: %s", mkv_command_step_name(step),
			      err.message);
}

/* Performs an action. An error ends the attempt without a result. */
int mkv_run_perform(struct mkv_running *run, enum mkv_action action,
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

/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/steps.h"

#include <string.h>

#include "lib/clock.h"
#include "programs/campaign/agent/child.h"
#include "programs/campaign/agent/files.h"
#include "programs/campaign/agent/load.h"
#include "programs/campaign/agent/logs.h"
#include "programs/campaign/agent/overrides.h"
#include "programs/campaign/agent/receipts.h"
#include "programs/campaign/agent/watch.h"

bool mkv_agent_has_loadgen(const struct mkv_agent *agent)
{
	return strcmp(mkv_agent_role(agent), "loadgen") == 0;
}

static bool has_services(const struct mkv_agent *agent)
{
	struct mkv_agent_service service;
	size_t at = 0;
	return mkv_agent_service_next(agent, &at, &service);
}

static int check_receipt(const struct mkv_agent *agent, struct mkv_error *err)
{
	const char *word = mkv_agent_receipt_word(agent);
	if (strcmp(word, "pass") == 0)
		return 0;
	return mkv_fail(err, MKV_UNVERIFIED, EPERM,
			"the receipt of this boot is '%s', not 'pass'", word);
}

/* The clean-up comes after the overrides: it cleans what the run will use. */
static int prepare_service(struct mkv_agent_job *job,
			   const struct mkv_agent_service *service,
			   struct mkv_error *err)
{
	const struct mkv_agent *agent = job->agent;
	auto_buf struct mkv_buf lines = {0};
	mkv_agent_overrides_service(service, job->command, agent->state_dir,
				    &lines);
	int rc = mkv_agent_overrides_write(agent, service->row->name, &lines,
					   err);
	if (rc < 0)
		return rc;
	if (service->is_container) {
		rc = mkv_agent_overrides_copy(agent, service->row->name, &lines,
					      err);
		if (rc < 0)
			return rc;
	}
	rc = mkv_agent_service_clean(job, service, err);
	if (rc < 0)
		return rc;
	rc = mkv_agent_check_cancelled(job, err);
	return rc < 0 ? rc : mkv_agent_service_restart(job, service, err);
}

static int prepare_services(struct mkv_agent_job *job, struct mkv_error *err)
{
	struct mkv_agent_service service;
	size_t at = 0;
	while (mkv_agent_service_next(job->agent, &at, &service)) {
		int rc = prepare_service(job, &service, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Gives a service its own settings back, if it has others. */
static int restore_service(struct mkv_agent_job *job,
			   const struct mkv_agent_service *service,
			   struct mkv_error *err)
{
	const struct mkv_agent *agent = job->agent;
	const struct mkv_buf none = {0};
	auto_buf struct mkv_buf lines = {0};
	mkv_agent_overrides_service(service, job->command, agent->state_dir,
				    &lines);
	int rc = mkv_agent_overrides_write(agent, service->row->name, &none,
					   err);
	if (rc < 0)
		return rc;
	if (!lines.size && !lines.failed)
		return 0;
	if (service->is_container) {
		rc = mkv_agent_overrides_copy(agent, service->row->name, &none,
					      err);
		if (rc < 0)
			return rc;
	}
	return job->command->step == MKV_STEP_ABORT
		       ? 0 /* the next prepare restarts it */
		       : mkv_agent_service_restart(job, service, err);
}

/* Restores all services, whatever fails; returns the first error. */
static int restore_services(struct mkv_agent_job *job, struct mkv_error *err)
{
	struct mkv_agent_service service;
	struct mkv_error own;
	const struct mkv_buf none = {0};
	int first = 0;
	for (size_t at = 0;
	     mkv_agent_service_next(job->agent, &at, &service);) {
		int rc = restore_service(job, &service, &own);
		if (rc < 0 && first == 0) {
			first = rc;
			*err = own;
		}
	}
	if (!mkv_agent_has_loadgen(job->agent))
		return first;
	int rc = mkv_agent_overrides_write(job->agent, "loadgen", &none, &own);
	if (rc < 0 && first == 0) {
		first = rc;
		*err = own;
	}
	return first;
}

static int pause_and_work(struct mkv_agent_job *job,
			  int (*work)(struct mkv_agent_job *job,
				      struct mkv_error *err),
			  struct mkv_error *err)
{
	int rc = mkv_agent_watch_pause(job, err);
	return rc < 0 ? rc : work(job, err);
}

/* Calls `work` while no watch of the verifier runs, if the host has services
 * that it may restart. */
static int unwatched(struct mkv_agent_job *job,
		     int (*work)(struct mkv_agent_job *job,
				 struct mkv_error *err),
		     struct mkv_error *err)
{
	struct mkv_error own;
	if (!has_services(job->agent))
		return work(job, err);
	int rc = pause_and_work(job, work, err);
	int resumed = mkv_agent_watch_resume(job->agent, &own);
	if (rc < 0 || resumed == 0)
		return rc;
	*err = own;
	return resumed;
}

static int prepare(struct mkv_agent_job *job, struct mkv_error *err)
{
	const struct mkv_agent *agent = job->agent;
	atomic_store(&job->agent->prepared_ns, mkv_realtime_ns());
	int rc = check_receipt(agent, err);
	if (rc < 0)
		return rc;
	rc = mkv_agent_files_clear(agent, err);
	if (rc < 0)
		return rc;
	rc = mkv_agent_receipts_copy(agent, "before", err);
	if (rc < 0)
		return rc;
	rc = unwatched(job, prepare_services, err);
	if (rc < 0)
		return rc;
	/* A receipt that broke meanwhile. */
	return check_receipt(agent, err);
}

static int finish(struct mkv_agent_job *job, struct mkv_error *err)
{
	int rc = mkv_agent_watch_look(job, err);
	if (rc < 0)
		return rc;
	rc = mkv_agent_receipts_copy(job->agent, "after", err);
	if (rc < 0)
		return rc;
	mkv_agent_logs_copy(job);
	return unwatched(job, restore_services, err);
}

static int abort_attempt(struct mkv_agent_job *job, struct mkv_error *err)
{
	mkv_agent_logs_copy(job);
	int rc = restore_services(job, err);
	if (rc < 0)
		return rc;
	/* If the agent stopped in a step, the timer may still be paused. */
	return mkv_agent_watch_resume(job->agent, err);
}

void mkv_agent_interrupt(const struct mkv_agent *agent)
{
	struct mkv_error ignored;
	if (mkv_agent_has_loadgen(agent) &&
	    mkv_agent_load_stop(agent, &ignored) < 0)
		return;
}

int mkv_agent_step(struct mkv_agent_job *job, struct mkv_error *err)
{
	switch (job->command->step) {
	case MKV_STEP_PREPARE:
		return prepare(job, err);
	case MKV_STEP_LOAD:
		return mkv_agent_has_loadgen(job->agent)
			       ? mkv_agent_load_run(job, err)
			       : 0;
	case MKV_STEP_FINISH:
		return finish(job, err);
	case MKV_STEP_ABORT:
		return abort_attempt(job, err);
	default:
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"not a step of an agent");
	}
}

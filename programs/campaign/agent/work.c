/* SPDX-License-Identifier: MIT */
/* The thread that works on a step. An abort is accepted meanwhile: its thread
 * waits for that of the step. */
#include <stdarg.h>
#include <string.h>

#include "lib/thread.h"
#include "lib/utf8.h"
#include "programs/campaign/agent/agent.h"
#include "programs/campaign/agent/files.h"
#include "programs/campaign/agent/sequence.h"
#include "programs/campaign/agent/steps.h"
#include "programs/lib/log.h"

static void job_free(struct mkv_agent_job *job)
{
	if (!job)
		return;
	mkv_command_free(job->command);
	free(job);
}
MKV_DEFINE_AUTO(job, struct mkv_agent_job *, job_free)
#define auto_job mkv_auto(job)

bool mkv_agent_is_cancelled(const struct mkv_agent_job *job)
{
	return job->command->sequence <= atomic_load(&job->agent->aborted);
}

int mkv_agent_check_cancelled(const struct mkv_agent_job *job,
			      struct mkv_error *err)
{
	return mkv_agent_is_cancelled(job)
		       ? mkv_fail(err, MKV_FAILED, ECANCELED, "aborted")
		       : 0;
}

/* Whether the state is that of this job; the lock is held. */
static bool is_current(const struct mkv_agent_job *job)
{
	return job->agent->state.sequence == job->command->sequence;
}

void mkv_agent_detail(struct mkv_agent_job *job, const char *format, ...)
{
	struct mkv_agent *agent = job->agent;
	va_list ap;
	va_start(ap, format);
	(void)pthread_mutex_lock(&agent->lock);
	if (is_current(job))
		(void)vsnprintf(agent->state.detail,
				sizeof(agent->state.detail), format, ap);
	mkv_utf8_make_valid(agent->state.detail);
	(void)pthread_mutex_unlock(&agent->lock);
	va_end(ap);
}

static void log_result(const struct mkv_command *command, int rc,
		       const struct mkv_error *err)
{
	const char *step = mkv_command_step_name(command->step);
	if (rc == 0)
		mkv_log_info("%s of attempt %lld of %s: done", step,
			     (long long)command->attempt, command->run);
	else
		mkv_log_error("%s of attempt %lld of %s: %s", step,
			      (long long)command->attempt, command->run,
			      err->message);
}

/* The message of an error may have what another program wrote, in any bytes,
 * and is shown in JSON. */
static void set_error(struct mkv_agent_state *state,
		      const struct mkv_error *err)
{
	(void)snprintf(state->error, sizeof(state->error), "%s", err->message);
	mkv_utf8_make_valid(state->error);
}

/* Publishes the files of the attempt and the result of the step together. */
static void publish(struct mkv_agent_job *job, int rc, struct mkv_error *err)
{
	struct mkv_agent *agent = job->agent;
	struct mkv_agent_files files = {0};
	struct mkv_error ignored;
	int listed = mkv_agent_files_list(agent, job->command->run,
					  job->command->attempt, &files,
					  rc < 0 ? &ignored : err);
	rc = rc < 0 ? rc : listed;
	log_result(job->command, rc, err);
	(void)pthread_mutex_lock(&agent->lock);
	if (is_current(job)) {
		struct mkv_agent_files old = agent->files;
		agent->files = files;
		files = old;
		agent->state.progress =
			rc < 0 ? MKV_AGENT_FAILED : MKV_AGENT_DONE;
		agent->state.detail[0] = '\0';
		if (rc < 0)
			set_error(&agent->state, err);
	}
	(void)pthread_mutex_unlock(&agent->lock);
	mkv_agent_files_done(&files);
}

static void *work_on(void *context)
{
	auto_job struct mkv_agent_job *job = context;
	struct mkv_error err = {0};
	if (job->command->step == MKV_STEP_ABORT)
		mkv_agent_interrupt(job->agent);
	if (job->has_previous)
		(void)pthread_join(job->previous, NULL);
	int rc = mkv_agent_step(job, &err);
	publish(job, rc, &err);
	return NULL;
}

/* Starts the thread; the lock is held. */
static int start_job(struct mkv_agent *agent, struct mkv_command **command,
		     struct mkv_error *err)
{
	pthread_t thread;
	auto_job struct mkv_agent_job *job = calloc(1, sizeof(*job));
	if (!job)
		return mkv_oom(err);
	job->agent = agent;
	job->command = mkv_take(*command);
	job->has_previous = agent->has_worker;
	job->previous = agent->worker;
	int rc = mkv_thread_start(&thread, work_on, job, err, "step");
	if (rc < 0)
		return rc;
	job = NULL; /* the thread's */
	agent->worker = thread;
	agent->has_worker = true;
	return 0;
}

/* Accepts and starts; the lock is held. Nothing changes if the sequence can't
 * be recorded. */
static int accept_command(struct mkv_agent *agent, struct mkv_command **command,
			  struct mkv_error *err)
{
	int rc = mkv_agent_sequence_store(agent, (*command)->sequence, err);
	if (rc < 0)
		return rc;
	if ((*command)->step == MKV_STEP_ABORT)
		atomic_store(&agent->aborted, (*command)->sequence - 1);
	mkv_agent_accept(&agent->state, *command);
	rc = start_job(agent, command, err);
	if (rc < 0) {
		agent->state.progress = MKV_AGENT_FAILED;
		set_error(&agent->state, err);
	}
	return rc;
}

int mkv_agent_begin(struct mkv_agent *agent, struct mkv_command **command,
		    struct mkv_agent_refusal *ret, struct mkv_error *err)
{
	(void)pthread_mutex_lock(&agent->lock);
	bool accepts = mkv_agent_accepts(&agent->state, agent->host->name,
					 agent->boot_id, *command, ret);
	int rc = accepts ? accept_command(agent, command, err)
			 : mkv_fail(err, MKV_UNVERIFIED, EPERM, "%s",
				    ret->message);
	(void)pthread_mutex_unlock(&agent->lock);
	return rc;
}

void mkv_agent_stop(struct mkv_agent *agent)
{
	(void)pthread_mutex_lock(&agent->lock);
	bool has_worker = agent->has_worker;
	pthread_t worker = agent->worker;
	atomic_store(&agent->aborted, INT64_MAX);
	agent->has_worker = false;
	(void)pthread_mutex_unlock(&agent->lock);
	if (has_worker)
		(void)pthread_join(worker, NULL);
}

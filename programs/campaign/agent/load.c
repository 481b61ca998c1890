/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/load.h"

#include <fcntl.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/process.h"
#include "programs/campaign/agent/child.h"
#include "programs/campaign/agent/files.h"
#include "programs/campaign/agent/overrides.h"

#define UNIT "mkvbench-loadgen.service"

enum { PROGRESS_MAX = 64 * 1024 };

int mkv_agent_load_stop(const struct mkv_agent *agent, struct mkv_error *err)
{
	return mkv_agent_run(
		agent, (const char *const[]){"systemctl", "stop", UNIT, NULL},
		NULL, err);
}

/* Twice the time of the load, for a rate that can't be kept, and what the start
 * and the last answers may take. */
static unsigned limit_s(const struct mkv_agent *agent,
			const struct mkv_plan_load *load)
{
	uint64_t requests = (uint64_t)load->warm_up + load->measured;
	uint64_t seconds = 2 * (requests / load->rate + 1) +
			   (uint64_t)(load->timeout_ns / MKV_NS_PER_S) +
			   2 * (uint64_t)agent->child_s;
	return seconds < UINT32_MAX ? (unsigned)seconds : UINT32_MAX;
}

static int start_unit(const struct mkv_agent *agent,
		      const struct mkv_plan_load *load, struct mkv_error *err)
{
	const struct mkv_process process = {
		.argv = (const char *const[]){"systemctl", "start", UNIT, NULL},
		.timeout_s = limit_s(agent, load),
	};
	return mkv_process_run(&process, NULL, err);
}

static bool has_summary(const struct mkv_agent *agent,
			const struct mkv_command *command)
{
	char path[MKV_PLAN_ID_MAX + 64];
	struct mkv_error ignored;
	auto_fd int fd = -1;
	uint64_t size;
	(void)snprintf(path, sizeof(path), "%s.%lld/summary.json", command->run,
		       (long long)command->attempt);
	return mkv_agent_open_below(agent->loadgen_dir, path, &fd, &size,
				    &ignored) == 0;
}

static int write_overrides(const struct mkv_agent *agent,
			   const struct mkv_command *command,
			   struct mkv_error *err)
{
	auto_buf struct mkv_buf lines = {0};
	mkv_agent_overrides_load(agent, command, &lines);
	return mkv_agent_overrides_write(agent, "loadgen", &lines, err);
}

int mkv_agent_load_run(struct mkv_agent_job *job, struct mkv_error *err)
{
	const struct mkv_agent *agent = job->agent;
	struct mkv_error ignored;
	int rc = write_overrides(agent, job->command, err);
	if (rc < 0)
		return rc;
	/* After this an abort stops the unit. */
	rc = mkv_agent_check_cancelled(job, err);
	if (rc < 0)
		return rc;
	mkv_agent_detail(job, "generating the load");
	rc = start_unit(agent, &job->command->load, err);
	if (rc < 0 && mkv_agent_load_stop(agent, &ignored) < 0)
		mkv_agent_detail(job, "the load generator can't be stopped");
	/* The load generator's exit status says whether all requests were
	 * answered; the summary, written last, that the results are complete.
	 */
	if (rc < 0 && !has_summary(agent, job->command))
		return mkv_wrap(err, rc, "load");
	return mkv_agent_check_cancelled(job, err);
}

json_t *mkv_agent_load_progress(const struct mkv_agent *agent, const char *run,
				int64_t attempt)
{
	char path[MKV_PLAN_ID_MAX + 64];
	struct mkv_error ignored;
	auto_buf struct mkv_buf text = {0};
	auto_fd int fd = -1;
	json_t *progress = NULL;
	uint64_t size;
	(void)snprintf(path, sizeof(path), "%s.%lld/progress.json", run,
		       (long long)attempt);
	if (mkv_agent_open_below(agent->loadgen_dir, path, &fd, &size,
				 &ignored) < 0 ||
	    mkv_read_fd(fd, PROGRESS_MAX, &text, &ignored) < 0 ||
	    mkv_json_load(text.data ? text.data : "", text.size, &progress,
			  &ignored) < 0)
		return NULL;
	return progress;
}

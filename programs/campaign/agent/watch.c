/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/watch.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/clock.h"
#include "programs/campaign/agent/child.h"

#define TIMER "mkvbench-verify.timer"
#define WATCH "mkvbench-verify-watch.service"

enum { POLL_MS = 100 };

static int wait_for_watch(struct mkv_agent_job *job, struct mkv_error *err)
{
	const struct mkv_agent *agent = job->agent;
	int64_t until = mkv_monotonic_ms() + agent->child_s * 1000;
	for (;;) {
		auto_buf struct mkv_buf state = {0};
		int rc = mkv_agent_unit_property(agent, WATCH, "ActiveState",
						 &state, err);
		if (rc < 0)
			return rc;
		/* A oneshot unit is "activating" while its program runs. */
		if (!state.size || strcmp(state.data, "inactive") == 0 ||
		    strcmp(state.data, "failed") == 0)
			return 0;
		rc = mkv_agent_check_cancelled(job, err);
		if (rc < 0)
			return rc;
		if (mkv_monotonic_ms() >= until)
			return mkv_fail(err, MKV_FAILED, ETIMEDOUT,
					"the verifier's watch has not ended "
					"after %lld s",
					(long long)agent->child_s);
		(void)nanosleep(
			&(struct timespec){.tv_nsec = POLL_MS * MKV_NS_PER_MS},
			NULL);
	}
}

int mkv_agent_watch_pause(struct mkv_agent_job *job, struct mkv_error *err)
{
	mkv_agent_detail(job, "pausing the verifier's watch");
	int rc = mkv_agent_run(
		job->agent,
		(const char *const[]){"systemctl", "stop", TIMER, NULL}, NULL,
		err);
	return rc < 0 ? rc : wait_for_watch(job, err);
}

int mkv_agent_watch_resume(const struct mkv_agent *agent, struct mkv_error *err)
{
	return mkv_agent_run(
		agent, (const char *const[]){"systemctl", "start", TIMER, NULL},
		NULL, err);
}

/* Distinguishes two receipts: each is a new file. */
static void identify_receipt(const struct mkv_agent *agent, struct stat *ret)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/receipt-watch.json", agent->run_dir);
	if (path.failed || stat(path.data, ret) < 0)
		*ret = (struct stat){0};
}

int mkv_agent_watch_look(struct mkv_agent_job *job, struct mkv_error *err)
{
	struct stat before, after;
	mkv_agent_detail(job, "verifying the host");
	/* One that began before this step has not seen its beginning. */
	int rc = wait_for_watch(job, err);
	if (rc < 0)
		return rc;
	identify_receipt(job->agent, &before);
	rc = mkv_agent_run(
		job->agent,
		(const char *const[]){"systemctl", "start", WATCH, NULL}, NULL,
		err);
	identify_receipt(job->agent, &after);
	if (after.st_ino != before.st_ino ||
	    after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
	    after.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
		return 0;
	if (rc < 0)
		return mkv_wrap(err, rc, "the verifier wrote no receipt");
	return mkv_fail(err, MKV_FAILED, EIO, "the verifier wrote no receipt");
}

/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/logs.h"

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/process.h"
#include "programs/campaign/agent/services.h"
#include "programs/campaign/agent/steps.h"
#include "programs/lib/log.h"

/* The last lines of a log that is longer. */
#define LINES "5000"
enum { LOG_MAX = 8 << 20 };

static int read_log(const struct mkv_agent *agent, const char *const *words,
		    struct mkv_buf *ret, struct mkv_error *err)
{
	/* docker-logs(1) writes both streams of a container to its own. */
	auto_buf struct mkv_buf errors = {0};
	const struct mkv_process process = {
		.argv = words,
		.output = ret,
		.errors = &errors,
		.output_limit_bytes = LOG_MAX,
		.timeout_s = (unsigned)agent->child_s,
	};
	int rc = mkv_process_run(&process, NULL, err);
	mkv_buf_add(ret, errors.data, errors.size);
	return rc < 0 ? rc : mkv_buf_check(ret, err);
}

static int read_unit(const struct mkv_agent *agent, const char *unit,
		     const char *since, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	auto_buf struct mkv_buf from = {0}, of = {0};
	mkv_buf_printf(&from, "--since=@%s", since);
	mkv_buf_printf(&of, "--unit=%s", unit);
	if (from.failed || of.failed)
		return mkv_oom(err);
	return read_log(agent,
			(const char *const[]){"journalctl", "--no-pager",
					      "--quiet", "--lines=" LINES,
					      "--output=short-iso-precise",
					      from.data, of.data, NULL},
			ret, err);
}

static int read_container(const struct mkv_agent *agent, const char *name,
			  const char *since, struct mkv_buf *ret,
			  struct mkv_error *err)
{
	auto_buf struct mkv_buf from = {0};
	mkv_buf_printf(&from, "--since=%s", since);
	if (from.failed)
		return mkv_oom(err);
	return read_log(agent,
			(const char *const[]){"docker", "logs", "--timestamps",
					      "--tail=" LINES, from.data, name,
					      NULL},
			ret, err);
}

static int write_log(const struct mkv_agent *agent, const char *name,
		     const struct mkv_buf *text, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/logs", agent->files_dir);
	int rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	rc = mkv_make_dirs(path.data, err);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&path, "/%s.log", name);
	rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	return mkv_place_file(path.data, 0644, text->data ? text->data : "",
			      text->size, err);
}

/* `unit` NULL: the container of that name. */
static void copy_log(const struct mkv_agent *agent, const char *name,
		     const char *unit, const char *since)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err;
	int rc = unit ? read_unit(agent, unit, since, &text, &err)
		      : read_container(agent, name, since, &text, &err);
	if (rc < 0 || write_log(agent, name, &text, &err) < 0)
		mkv_log_error("log of %s: %s", name, err.message);
}

void mkv_agent_logs_copy(struct mkv_agent_job *job)
{
	const struct mkv_agent *agent = job->agent;
	struct mkv_agent_service service;
	char since[32];
	int64_t prepared_ns = atomic_load(&job->agent->prepared_ns);
	if (!prepared_ns)
		return;
	mkv_agent_detail(job, "copying logs");
	(void)snprintf(since, sizeof(since), "%lld",
		       (long long)(prepared_ns / MKV_NS_PER_S));
	for (size_t at = 0; mkv_agent_service_next(agent, &at, &service);)
		copy_log(agent, service.row->name,
			 service.is_container ? NULL : service.row->unit,
			 since);
	if (mkv_agent_has_loadgen(agent))
		copy_log(agent, "loadgen", "mkvbench-loadgen.service", since);
}

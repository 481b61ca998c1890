/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/clean_up.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/argv.h"
#include "lib/io.h"
#include "lib/process.h"
#include "programs/campaign/agent/child.h"

enum { PROC_FILE_MAX = 1 << 20, ENVIRONMENT_MAX = 1024 };

static void add_clean_up(const struct mkv_agent_service *service,
			 struct mkv_argv *argv)
{
	for (size_t i = 0; i < service->row->clean_up.count; i++)
		mkv_argv_add(argv, "%s", service->row->clean_up.items[i]);
}

static int run(const struct mkv_agent *agent, const struct mkv_argv *argv,
	       const char *const *environment, struct mkv_error *err)
{
	if (argv->failed)
		return mkv_oom(err);
	const struct mkv_process process = {
		.argv = (const char *const *)argv->items,
		.environment = environment,
		.timeout_s = (unsigned)agent->child_s,
	};
	return mkv_process_run(&process, NULL, err);
}

int mkv_agent_clean_container(const struct mkv_agent *agent,
			      const struct mkv_agent_service *service,
			      struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	mkv_argv_add(&argv, "docker");
	mkv_argv_add(&argv, "exec");
	mkv_argv_add(&argv, "%s", service->row->name);
	add_clean_up(service, &argv);
	return run(agent, &argv, NULL, err);
}

/* What the main process of a unit is. */
struct process {
	long pid;
	unsigned uid, gid;
	bool is_in_our_namespace; /* of mounts */
	char *environment;	  /* NAME=VALUE, each with a NUL */
	size_t environment_size;
};

static void process_done(struct process *process)
{
	free(process->environment);
}

static int find_pid(const struct mkv_agent *agent, const char *unit, long *ret,
		    struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_agent_unit_property(agent, unit, "MainPID", &text, err);
	if (rc < 0)
		return rc;
	*ret = strtol(text.data ? text.data : "", NULL, 10);
	return 0;
}

/* The process of a unit, which is started if it doesn't run. */
static int find_running(const struct mkv_agent *agent, const char *unit,
			long *ret, struct mkv_error *err)
{
	int rc = find_pid(agent, unit, ret, err);
	if (rc < 0 || *ret > 0)
		return rc;
	rc = mkv_agent_run(
		agent,
		(const char *const[]){"systemctl", "start", "--", unit, NULL},
		NULL, err);
	if (rc < 0)
		return rc;
	rc = find_pid(agent, unit, ret, err);
	if (rc < 0 || *ret > 0)
		return rc;
	return mkv_fail(err, MKV_FAILED, ESRCH, "'%s' has no main process",
			unit);
}

static int read_proc(long pid, const char *name, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	return mkv_read_file(AT_FDCWD, path, PROC_FILE_MAX, ret, err);
}

/* The effective id of a line of proc(5), "status". */
static bool read_id(const char *status, const char *key, unsigned *ret)
{
	const char *line = strstr(status, key);
	return line && sscanf(line + strlen(key), "%*u %u", ret) == 1;
}

static bool is_our_mount_namespace(long pid)
{
	char path[64];
	struct stat ours, other;
	(void)snprintf(path, sizeof(path), "/proc/%ld/ns/mnt", pid);
	return stat("/proc/self/ns/mnt", &ours) == 0 &&
	       stat(path, &other) == 0 && ours.st_dev == other.st_dev &&
	       ours.st_ino == other.st_ino;
}

static int read_process(long pid, struct process *ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf status = {0}, environment = {0};
	int rc = read_proc(pid, "status", &status, err);
	if (rc < 0)
		return rc;
	if (!status.size || !read_id(status.data, "\nUid:", &ret->uid) ||
	    !read_id(status.data, "\nGid:", &ret->gid))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"/proc/%ld/status has no user", pid);
	rc = read_proc(pid, "environ", &environment, err);
	if (rc < 0)
		return rc;
	ret->pid = pid;
	ret->is_in_our_namespace = is_our_mount_namespace(pid);
	ret->environment_size = environment.size;
	ret->environment = mkv_buf_take(&environment);
	return ret->environment ? 0 : mkv_oom(err);
}

static void add_entry(const struct process *process, struct mkv_argv *argv)
{
	if (process->is_in_our_namespace && process->uid == geteuid())
		return;
	mkv_argv_add(argv, "nsenter");
	if (!process->is_in_our_namespace)
		mkv_argv_add(argv, "--mount=/proc/%ld/ns/mnt", process->pid);
	mkv_argv_add(argv, "--setuid=%u", process->uid);
	mkv_argv_add(argv, "--setgid=%u", process->gid);
	mkv_argv_add(argv, "--");
}

static int run_in_process(const struct mkv_agent *agent,
			  const struct mkv_agent_service *service,
			  const struct process *process, struct mkv_error *err)
{
	const char *environment[ENVIRONMENT_MAX + 1];
	auto_argv struct mkv_argv argv = {0};
	size_t count = 0;
	const char *end = process->environment + process->environment_size;
	for (const char *at = process->environment;
	     at < end && count < ENVIRONMENT_MAX; at += strlen(at) + 1)
		if (*at)
			environment[count++] = at;
	environment[count] = NULL;
	add_entry(process, &argv);
	add_clean_up(service, &argv);
	return run(agent, &argv, environment, err);
}

int mkv_agent_clean_unit(const struct mkv_agent *agent,
			 const struct mkv_agent_service *service,
			 struct mkv_error *err)
{
	__attribute__((cleanup(process_done))) struct process process = {0};
	long pid = 0;
	int rc = find_running(agent, service->row->unit, &pid, err);
	if (rc < 0)
		return rc;
	rc = read_process(pid, &process, err);
	if (rc < 0)
		return rc;
	return run_in_process(agent, service, &process, err);
}

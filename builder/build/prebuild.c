/* SPDX-License-Identifier: MIT */
/* Builds root file systems in parallel. One root file system spends most of its
 * time in maintainer scripts, which run one after another on one CPU. Worker
 * processes, one per CPU, therefore build the missing ones and put their packs
 * into the store: first the bases, then every root file system whose base is
 * done. Workers are processes because the sandbox forks and changes namespaces.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "builder/build/steps/steps.h"

enum { JOBS_MAX = 16 };

/* A root file system to build, or a base. */
struct task {
	const char *set;
	bool is_base;
	struct mkv_sha256 key;
	size_t base; /* index of the task that must be done first, or NONE */
	enum { WAITING, RUNNING, DONE } state;
};
#define NONE SIZE_MAX

struct tasks {
	struct task *items;
	size_t count, n_bases;
};

static void tasks_done(struct tasks *tasks)
{
	free(tasks->items);
}

/* One worker; unused when pid is 0. */
struct job {
	struct task *task;
	pid_t pid;
	int report; /* a failing worker writes its struct mkv_error here */
};

struct jobs {
	struct job items[JOBS_MAX];
	size_t limit;
	int rc; /* of the first failure */
};

/* Kills workers that still run: a worker's result is in the store completely or
 * not at all. */
static void jobs_done(struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->limit; i++) {
		struct job *job = &jobs->items[i];
		if (!job->pid)
			continue;
		(void)kill(job->pid, SIGKILL);
		while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		mkv_auto_close_(&job->report);
	}
}

static int build_task(const struct mkv_build *build, const struct task *task,
		      struct mkv_error *err)
{
	auto_tree struct mkv_tree *tree = NULL;
	struct mkv_sha256 sha256;
	return task->is_base ? mkv_build_rootfs_base(build, task->set, err)
			     : mkv_build_rootfs(build, task->set, &tree,
						&sha256, err);
}

static _Noreturn void run_worker(const struct mkv_build *build,
				 const struct task *task, pid_t parent,
				 int report)
{
	struct mkv_build quiet = *build;
	quiet.progress = NULL;
	struct mkv_error err = {0};
	/* The kernel kills the worker when the builder exits; the builder may
	 * have exited before this call. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	if (build_task(&quiet, task, &err) == 0)
		_exit(0);
	ssize_t written = write(report, &err, sizeof(err));
	_exit(written == sizeof(err) ? 1 : 2);
}

static int start_job(const struct mkv_build *build, struct job *job,
		     struct task *task, struct mkv_error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "pipe: %m");
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		run_worker(build, task, parent, ends[1]);
	mkv_auto_close_(&ends[1]);
	if (pid < 0) {
		mkv_auto_close_(&ends[0]);
		return mkv_fail(err, MKV_FAILED, errno, "fork: %m");
	}
	*job = (struct job){task, pid, ends[0]};
	task->state = RUNNING;
	return 0;
}

/* Reaps a worker that closed its end of the pipe, and takes its error. */
static void finish_job(struct jobs *jobs, struct job *job,
		       struct mkv_error *err)
{
	struct mkv_error theirs = {0};
	int status = 0;
	ssize_t got = read(job->report, &theirs, sizeof(theirs));
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	mkv_auto_close_(&job->report);
	if (jobs->rc == 0 && got == sizeof(theirs)) {
		theirs.message[sizeof(theirs.message) - 1] = '\0';
		*err = theirs;
		jobs->rc = -(theirs.code ? theirs.code : EIO);
	} else if (jobs->rc == 0 &&
		   !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
		jobs->rc = mkv_fail(err, MKV_FAILED, EIO,
				    "root file system '%s': the worker exited "
				    "without reporting an error",
				    job->task->set);
	}
	job->task->state = DONE;
	job->pid = 0;
}

/* Waits until a worker exits; false when no worker runs. */
static bool wait_for_job(struct jobs *jobs, struct mkv_error *err)
{
	struct pollfd polled[JOBS_MAX];
	size_t running = 0;
	for (size_t i = 0; i < jobs->limit; i++) {
		const struct job *job = &jobs->items[i];
		running += job->pid != 0;
		polled[i] = (struct pollfd){.fd = job->pid ? job->report : -1,
					    .events = POLLIN};
	}
	if (!running)
		return false;
	if (poll(polled, jobs->limit, -1) < 0)
		return true;
	for (size_t i = 0; i < jobs->limit; i++)
		if (polled[i].revents)
			finish_job(jobs, &jobs->items[i], err);
	return true;
}

static size_t count_cpus(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus < 1)
		return 1;
	return cpus > JOBS_MAX ? JOBS_MAX : (size_t)cpus;
}

/* The first task that can start; bases precede the other tasks. */
static struct task *next_task(const struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->count; i++) {
		struct task *task = &tasks->items[i];
		if (task->state == WAITING &&
		    (task->base == NONE ||
		     tasks->items[task->base].state == DONE))
			return task;
	}
	return NULL;
}

static struct job *free_job(struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->limit; i++)
		if (!jobs->items[i].pid)
			return &jobs->items[i];
	return NULL;
}

static int run_tasks(const struct mkv_build *build, struct tasks *tasks,
		     struct mkv_error *err)
{
	__attribute__((cleanup(jobs_done))) struct jobs jobs = {
		.limit = count_cpus()};
	do {
		struct job *job = free_job(&jobs);
		struct task *task = job ? next_task(tasks) : NULL;
		for (; task; task = job ? next_task(tasks) : NULL) {
			int rc = start_job(build, job, task, err);
			if (rc < 0)
				return rc;
			job = free_job(&jobs);
		}
	} while (wait_for_job(&jobs, err) && jobs.rc == 0);
	return jobs.rc;
}

/* *ret is true when the store has no result of the step. */
static int check_missing(const struct mkv_build *build,
			 const struct mkv_step *step, bool *ret,
			 struct mkv_sha256 *ret_key, struct mkv_error *err)
{
	struct mkv_step_result ignored;
	int rc = mkv_step_key(step, ret_key, err);
	if (rc < 0)
		return rc;
	rc = mkv_step_find(step, build->store, &ignored, err);
	*ret = rc == -ENOENT;
	return *ret ? 0 : rc;
}

static size_t find_task(const struct task *tasks, size_t count,
			const struct mkv_sha256 *key)
{
	for (size_t i = 0; i < count; i++)
		if (mkv_sha256_equal(&tasks[i].key, key))
			return i;
	return NONE;
}

/* The sets whose step has no result in the store, each step once. */
static int list_roots(const struct mkv_build *build, struct tasks *roots,
		      struct mkv_error *err)
{
	for (size_t i = 0; i < build->lock->n_sets; i++) {
		struct task *task = &roots->items[roots->count];
		auto_step struct mkv_step step = {0};
		bool missing = false;
		*task = (struct task){.set = build->lock->sets[i].name,
				      .base = NONE};
		int rc = mkv_build_rootfs_step(build, task->set, &step, err);
		if (rc < 0)
			return rc;
		rc = check_missing(build, &step, &missing, &task->key, err);
		if (rc < 0)
			return rc;
		if (missing &&
		    find_task(roots->items, roots->count, &task->key) == NONE)
			roots->count++;
	}
	return 0;
}

/* All tasks: the missing bases, each once, and then the roots. */
static int add_bases(const struct mkv_build *build, const struct tasks *roots,
		     struct tasks *all, struct mkv_error *err)
{
	for (size_t i = 0; i < roots->count; i++) {
		struct task *task = &all->items[all->n_bases];
		auto_step struct mkv_step step = {0};
		bool missing = false;
		*task = (struct task){.set = roots->items[i].set,
				      .is_base = true,
				      .base = NONE};
		int rc = mkv_build_rootfs_base_step(build, task->set, &step,
						    err);
		if (rc < 0)
			return rc;
		rc = check_missing(build, &step, &missing, &task->key, err);
		if (rc < 0)
			return rc;
		size_t same = find_task(all->items, all->n_bases, &task->key);
		roots->items[i].base = !missing	      ? NONE
				       : same == NONE ? all->n_bases
						      : same;
		if (missing && same == NONE)
			all->n_bases++;
	}
	memcpy(all->items + all->n_bases, roots->items,
	       roots->count * sizeof(*roots->items));
	all->count = all->n_bases + roots->count;
	return 0;
}

int mkv_build_rootfs_all(const struct mkv_build *build, struct mkv_error *err)
{
	__attribute__((cleanup(tasks_done))) struct tasks roots = {0},
							  all = {0};
	size_t n = build->lock->n_sets;
	roots.items = calloc(n + 1, sizeof(*roots.items));
	all.items = calloc(2 * n + 1, sizeof(*all.items));
	if (!roots.items || !all.items)
		return mkv_oom(err);
	int rc = list_roots(build, &roots, err);
	/* A single root is built in-process, so that its progress stays
	 * visible.
	 */
	if (rc < 0 || roots.count < 2)
		return rc;
	rc = add_bases(build, &roots, &all, err);
	if (rc < 0)
		return rc;
	size_t cpus = count_cpus();
	auto_progress_step struct mkv_progress_step step = mkv_progress_begin(
		build->progress, 0,
		"%zu root file systems on %zu bases, %zu in parallel",
		roots.count, all.n_bases, cpus < all.count ? cpus : all.count);
	rc = run_tasks(build, &all, err);
	mkv_progress_end(&step, rc, NULL);
	return rc;
}

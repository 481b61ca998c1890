/* SPDX-License-Identifier: MIT */
/* Root file systems side by side. Most of the time of one goes into maintainer
 * scripts, one after another on one CPU; so the missing ones of a build are made
 * by processes of their own, as many as there are CPUs, each leaving its pack in
 * the store. A process, not a thread: the sandbox forks and changes namespaces. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "builder/plan/build.h"

enum { JOBS_MAX = 16 };

/* One process; free when pid is 0. */
struct job {
	const char *set;
	pid_t pid;
	int report; /* it writes a struct mkv_error there when it fails */
};

struct jobs {
	struct job items[JOBS_MAX];
	size_t limit;
	int rc; /* of the first that failed */
};

/* Whoever is still at work when we leave is ended: all its work is in the
 * store or not at all. */
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

static _Noreturn void work(const struct mkv_build *build, const char *set,
			   pid_t parent, int report)
{
	struct mkv_build quiet = *build;
	quiet.progress = NULL;
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *tree = NULL;
	struct mkv_sha256 sha256;
	/* SIGKILL when the builder goes, which may have happened already. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	if (mkv_build_rootfs(&quiet, set, &tree, &sha256, &err) == 0)
		_exit(0);
	ssize_t put = write(report, &err, sizeof(err));
	_exit(put == sizeof(err) ? 1 : 2);
}

static int start(const struct mkv_build *build, struct job *job,
		 const char *set, struct mkv_error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "pipe: %m");
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		work(build, set, parent, ends[1]);
	mkv_auto_close_(&ends[1]);
	if (pid < 0) {
		mkv_auto_close_(&ends[0]);
		return mkv_fail(err, MKV_FAILED, errno, "fork: %m");
	}
	*job = (struct job){set, pid, ends[0]};
	return 0;
}

/* Takes the end of a job that has ended or is about to. */
static void finish(struct jobs *jobs, struct job *job, struct mkv_error *err)
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
				    "root file system '%s': its process ended "
				    "without a word",
				    job->set);
	}
	job->pid = 0;
}

/* Waits until one job ends; false when none runs. */
static bool wait_for_one(struct jobs *jobs, struct mkv_error *err)
{
	struct pollfd polled[JOBS_MAX];
	size_t running = 0;
	for (size_t i = 0; i < jobs->limit; i++) {
		const struct job *job = &jobs->items[i];
		running += job->pid != 0;
		polled[i] = (struct pollfd){
			.fd = job->pid ? job->report : -1, .events = POLLIN};
	}
	if (!running)
		return false;
	if (poll(polled, jobs->limit, -1) < 0)
		return true;
	for (size_t i = 0; i < jobs->limit; i++)
		if (polled[i].revents)
			finish(jobs, &jobs->items[i], err);
	return true;
}

static struct job *free_job(struct jobs *jobs, struct mkv_error *err)
{
	for (;;) {
		for (size_t i = 0; i < jobs->limit; i++)
			if (!jobs->items[i].pid)
				return &jobs->items[i];
		(void)wait_for_one(jobs, err);
	}
}

/* The sets whose step isn't in the store, each step once. */
static int list_missing(const struct mkv_build *build, const char **sets,
			struct mkv_sha256 *keys, size_t *ret_count,
			struct mkv_error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < build->lock->n_sets; i++) {
		const char *set = build->lock->sets[i].name;
		auto_step struct mkv_step step = {0};
		struct mkv_step_result ignored;
		int rc = mkv_build_rootfs_step(build, set, &step, err);
		if (rc == 0)
			rc = mkv_step_key(&step, &keys[count], err);
		if (rc < 0)
			return rc;
		rc = mkv_step_find(&step, build->store, &ignored, err);
		bool is_new = rc == -ENOENT;
		for (size_t j = 0; j < count; j++)
			is_new = is_new &&
				 !mkv_sha256_equal(&keys[j], &keys[count]);
		if (is_new)
			sets[count++] = set;
		else if (rc < 0 && rc != -ENOENT)
			return rc;
	}
	*ret_count = count;
	return 0;
}

static size_t count_cpus(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus < 1)
		return 1;
	return cpus > JOBS_MAX ? JOBS_MAX : (size_t)cpus;
}

int mkv_build_rootfs_all(const struct mkv_build *build, struct mkv_error *err)
{
	size_t n = build->lock->n_sets, count = 0;
	auto_free const char **sets = calloc(n + 1, sizeof(*sets));
	auto_free struct mkv_sha256 *keys = calloc(n + 1, sizeof(*keys));
	if (!sets || !keys)
		return mkv_oom(err);
	int rc = list_missing(build, sets, keys, &count, err);
	/* One alone tells more of its progress when it isn't sent away. */
	if (rc < 0 || count < 2)
		return rc;
	__attribute__((cleanup(jobs_done))) struct jobs jobs = {
		.limit = count_cpus()};
	mkv_progress_begin(build->progress, 0, "%zu root file systems, %zu at "
					       "once",
			   count, jobs.limit < count ? jobs.limit : count);
	for (size_t i = 0; i < count && jobs.rc == 0; i++) {
		struct job *job = free_job(&jobs, err);
		if (jobs.rc == 0)
			rc = start(build, job, sets[i], err);
		if (rc < 0)
			return rc;
	}
	while (jobs.rc == 0 && wait_for_one(&jobs, err))
		continue;
	if (jobs.rc == 0)
		mkv_progress_end(build->progress, NULL);
	return jobs.rc;
}

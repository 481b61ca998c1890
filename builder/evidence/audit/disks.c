/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>

#include "builder/evidence/audit/audit_internal.h"

/* Each worker's machine takes a core and most of a gigabyte of memory. */
enum { WORKERS_MAX = 4 };

struct job {
	const char *image;
	char name[512];
	int fd;
	struct mkv_audit_report report;
	struct mkv_error err;
	int rc;
};

struct queue {
	const struct mkv_audit *audit;
	struct job *jobs;
	size_t count;
	atomic_size_t next;
};

static void queue_done(struct queue *queue)
{
	for (size_t i = 0; i < queue->count; i++) {
		if (queue->jobs[i].fd >= 0)
			(void)close(queue->jobs[i].fd);
		mkv_audit_report_done(&queue->jobs[i].report);
	}
	free(queue->jobs);
}

static void *run_jobs(void *context)
{
	struct queue *queue = context;
	size_t i;
	while ((i = atomic_fetch_add(&queue->next, 1)) < queue->count) {
		struct job *job = &queue->jobs[i];
		struct mkv_audit audit = *queue->audit;
		audit.report = &job->report;
		job->report.key = queue->audit->report->key;
		job->report.key_origin = queue->audit->report->key_origin;
		job->rc = mkv_audit_disk(&audit, job->image, job->fd, job->name,
					 &job->err);
	}
	return NULL;
}

/* One job for each image whose disk can be opened. */
static int prepare_jobs(struct mkv_audit *audit, struct queue *queue,
			struct mkv_error *err)
{
	const struct mkv_contract *contract = audit->manifest->contract;
	queue->jobs = calloc(contract->n_images ? contract->n_images : 1,
			     sizeof(*queue->jobs));
	if (!queue->jobs)
		return mkv_oom(err);
	for (size_t i = 0; i < contract->n_images; i++) {
		struct job *job = &queue->jobs[queue->count];
		job->fd = -1;
		job->image = contract->images[i].name;
		(void)snprintf(job->name, sizeof(job->name), "%s/disk.raw",
			       job->image);
		int rc = mkv_audit_open(audit, job->name, &job->fd);
		if (rc == 0)
			queue->count++;
		else if (rc == -ENOENT && audit->sums &&
			 !mkv_sums_find(audit->sums, job->name))
			mkv_audit_add(audit->report, job->name, "missing");
	}
	return 0;
}

/* The calling thread runs jobs too: the queue ends even if no thread starts. */
static void run_queue(struct queue *queue)
{
	pthread_t threads[WORKERS_MAX];
	size_t started = 0;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	while (started + 1 < WORKERS_MAX && started + 1 < queue->count &&
	       (long)started + 1 < cpus &&
	       pthread_create(&threads[started], NULL, run_jobs, queue) == 0)
		started++;
	(void)run_jobs(queue);
	while (started > 0)
		(void)pthread_join(threads[--started], NULL);
}

int mkv_audit_disks(struct mkv_audit *audit, struct mkv_error *err)
{
	__attribute__((cleanup(queue_done))) struct queue queue = {
		.audit = audit};
	if (!audit->manifest)
		return 0;
	int rc = prepare_jobs(audit, &queue, err);
	if (rc < 0)
		return rc;
	uint64_t before = mkv_audit_count(audit->report);
	auto_progress_step struct mkv_progress_step step = mkv_progress_begin(
		audit->options->progress, 0,
		"compare the contents of %zu disks", queue.count);
	run_queue(&queue);
	for (size_t i = 0; i < queue.count; i++) {
		struct job *job = &queue.jobs[i];
		if (job->rc < 0) {
			*err = job->err;
			return mkv_wrap(err, job->rc, "%s", job->name);
		}
		mkv_audit_merge(audit->report, &job->report);
	}
	mkv_audit_end_step(&step, audit->report, before, 0);
	return 0;
}

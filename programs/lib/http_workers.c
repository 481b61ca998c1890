/* SPDX-License-Identifier: MIT */
#include "programs/lib/http_workers.h"

#include <pthread.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/thread.h"

struct mkv_http_workers {
	pthread_mutex_t lock;
	pthread_cond_t available;
	struct mkv_http_task *first, **last;
	bool stopping;
	void (*run)(struct mkv_http_task *task);
	unsigned started;
	pthread_t threads[];
};

static struct mkv_http_task *take_task(struct mkv_http_workers *workers)
{
	(void)pthread_mutex_lock(&workers->lock);
	while (!workers->first && !workers->stopping)
		(void)pthread_cond_wait(&workers->available, &workers->lock);
	struct mkv_http_task *task = workers->first;
	if (task)
		workers->first = task->next;
	if (!workers->first)
		workers->last = &workers->first;
	(void)pthread_mutex_unlock(&workers->lock);
	return task;
}

static void *serve_tasks(void *context)
{
	struct mkv_http_workers *workers = context;
	for (struct mkv_http_task *task; (task = take_task(workers));)
		workers->run(task);
	return NULL;
}

int mkv_http_workers_start(unsigned threads,
			   void (*run)(struct mkv_http_task *task),
			   struct mkv_http_workers **ret, struct mkv_error *err)
{
	struct mkv_http_workers *workers = calloc(
		1, sizeof(*workers) + threads * sizeof(*workers->threads));
	if (!workers)
		return mkv_oom(err);
	(void)pthread_mutex_init(&workers->lock, NULL);
	(void)pthread_cond_init(&workers->available, NULL);
	workers->last = &workers->first;
	workers->run = run;
	int rc = 0;
	for (; workers->started < threads; workers->started++) {
		rc = mkv_thread_start(&workers->threads[workers->started],
				      serve_tasks, workers, err,
				      "HTTP worker %u of %u",
				      workers->started + 1, threads);
		if (rc < 0)
			break;
	}
	if (rc < 0) {
		mkv_http_workers_stop(workers);
		mkv_http_workers_free(workers);
		return rc;
	}
	*ret = workers;
	return 0;
}

bool mkv_http_workers_put(struct mkv_http_workers *workers,
			  struct mkv_http_task *task)
{
	task->queued_ns = mkv_monotonic_ns();
	task->next = NULL;
	(void)pthread_mutex_lock(&workers->lock);
	bool accepted = !workers->stopping;
	if (accepted) {
		*workers->last = task;
		workers->last = &task->next;
		(void)pthread_cond_signal(&workers->available);
	}
	(void)pthread_mutex_unlock(&workers->lock);
	return accepted;
}

void mkv_http_workers_stop(struct mkv_http_workers *workers)
{
	(void)pthread_mutex_lock(&workers->lock);
	workers->stopping = true;
	(void)pthread_cond_broadcast(&workers->available);
	(void)pthread_mutex_unlock(&workers->lock);
	for (; workers->started > 0; workers->started--)
		(void)pthread_join(workers->threads[workers->started - 1],
				   NULL);
}

void mkv_http_workers_free(struct mkv_http_workers *workers)
{
	if (!workers)
		return;
	(void)pthread_cond_destroy(&workers->available);
	(void)pthread_mutex_destroy(&workers->lock);
	free(workers);
}

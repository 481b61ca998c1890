/* SPDX-License-Identifier: MIT */
#pragma once
/* A fixed number of threads that serve requests in the order of their arrival,
 * independent of connections: a slow or idle connection occupies no thread. */

#include <stdint.h>

#include "lib/error.h"

/* Embedded in each queued object. */
struct mkv_http_task {
	struct mkv_http_task *next;
	int64_t queued_ns; /* CLOCK_MONOTONIC */
};

struct mkv_http_workers;
/* Starts the threads. `run` is called on one of them for each task, and may
 * free the task. */
int mkv_http_workers_start(unsigned threads,
			   void (*run)(struct mkv_http_task *task),
			   struct mkv_http_workers **ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4);
/* Queues a task. False after mkv_http_workers_stop(): the task is not queued.
 */
bool mkv_http_workers_put(struct mkv_http_workers *workers,
			  struct mkv_http_task *task) mkv_must_check
	mkv_nonnull(1, 2);
/* Refuses new tasks, runs the queued ones and joins the threads. */
void mkv_http_workers_stop(struct mkv_http_workers *workers) mkv_nonnull(1);
/* Must follow stop, when no thread calls put any more. NULL is allowed. */
void mkv_http_workers_free(struct mkv_http_workers *workers);

/* SPDX-License-Identifier: MIT */
#pragma once
/* A fixed number of threads that serve requests in the order of their arrival,
 * whichever connections those came by: a connection that is slow or idle holds
 * up nothing but itself. */

#include <stdint.h>

#include "lib/error.h"

/* Part of what is queued. */
struct mkv_http_task {
	struct mkv_http_task *next;
	int64_t queued_ns; /* CLOCK_MONOTONIC */
};

struct mkv_http_workers;
/* `run` is called on one of the threads for each task; it may free it. */
int mkv_http_workers_start(unsigned threads,
			   void (*run)(struct mkv_http_task *task),
			   struct mkv_http_workers **ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4);
/* Queues a task; false when the threads were told to stop. */
bool mkv_http_workers_put(struct mkv_http_workers *workers,
			  struct mkv_http_task *task) mkv_must_check
	mkv_nonnull(1, 2);
/* Takes no more, runs what is queued, ends the threads. */
void mkv_http_workers_stop(struct mkv_http_workers *workers) mkv_nonnull(1);
/* After stop, when nobody puts any more. NULL is fine. */
void mkv_http_workers_free(struct mkv_http_workers *workers);

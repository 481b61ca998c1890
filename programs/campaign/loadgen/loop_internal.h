/* SPDX-License-Identifier: MIT */
#pragma once
/* The state of the loop, which its senders (sender.c) and its supervisor
 * (loop.c) share. */

#include "programs/campaign/loadgen/request.h"
#include "programs/campaign/loadgen/turns.h"

struct mkv_load_loop;

/* A thread with a connection of its own. */
struct mkv_load_sender {
	pthread_t thread;
	struct mkv_load_loop *loop;
	struct mkv_load_request *request;
	unsigned number; /* from 1 */
	struct mkv_load_turn turn;
	bool has_sent;
};

struct mkv_load_loop {
	const struct mkv_load_options *options;
	struct mkv_load_results *results;
	struct mkv_load_turns turns;
	int64_t spin_ns;
	struct mkv_load_sender **senders;
	pthread_mutex_t lock; /* of the following */
	unsigned n_running, n_logged, connections_used;
	int rc;
	struct mkv_error error; /* the first, with rc */
	/* Set and posted by signals, too: */
	atomic_bool is_stopping;
	sem_t due;	   /* posted: whoever waits for a request stops */
	sem_t supervision; /* posted: the supervisor looks at the loop */
};

/* False after the time. */
bool mkv_load_wait_until(sem_t *semaphore, int64_t ns) mkv_nonnull(1);
/* Ends the run with an error. */
void mkv_load_fail(struct mkv_load_loop *loop, int rc,
		   const struct mkv_error *err) mkv_nonnull(1, 3);

int mkv_load_sender_start(struct mkv_load_loop *loop, unsigned number,
			  struct mkv_load_sender **ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* Its thread has ended. NULL is allowed. */
void mkv_load_sender_free(struct mkv_load_sender *sender);

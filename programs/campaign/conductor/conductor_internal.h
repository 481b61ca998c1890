/* SPDX-License-Identifier: MIT */
#pragma once
/* The conductor's state, for its thread (conductor.c) and for what operators
 * send (conductor_orders.c). */

#include <pthread.h>
#include <stdatomic.h>

#include "programs/campaign/conductor/conductor.h"

struct mkv_conductor {
	const struct mkv_self *self;
	char *work, *runs, *sequence_path;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	atomic_bool stopping, aborted;
	/* Guarded by the lock: */
	struct mkv_run_order *order; /* in progress */
	bool is_resumed;
	json_t *state; /* as published last; replaced, never changed */
	struct mkv_results results;
	int64_t sequence;
};

/* The state of an attempt that has not begun, or of none. */
json_t *mkv_conductor_idle(void);
/* Removes the attempt in progress from the disk. */
int mkv_conductor_clear(const struct mkv_conductor *conductor,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Carries out one attempt: polls, acts, and leaves a complete result. */

#include <stdatomic.h>

#include "programs/campaign/conductor/attempt.h"
#include "programs/campaign/conductor/order.h"

struct mkv_run_options {
	const struct mkv_self *self;
	const struct mkv_run_order *order;
	const char *work;  /* the attempt's directory; its result is in run/ */
	const char *place; /* where the result goes: ".../runs/03-2-kvm.1" */
	bool is_resumed;
	const atomic_bool *stopping; /* the program stops: leave all as it is */
	/* The operator aborts the attempt; "": no. */
	bool (*is_aborted)(void *context);
	/* Called with the state for GET /v1/state after each look at the hosts;
	 * takes the reference. */
	void (*publish)(void *context, json_t *state);
	void *context;
};

/* 0: the result has its place. -ECANCELED: the program stops. */
int mkv_run(const struct mkv_run_options *options,
	    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

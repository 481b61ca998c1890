/* SPDX-License-Identifier: MIT */
#pragma once
/* The open loop. Threads with a connection each take turns: the one whose turn
 * it is waits until shortly before the next request is due, gives the turn to
 * another that is free, and sends. So a request waits for no answer of an
 * earlier one, and between its timer and its send nothing else has to be
 * scheduled. When no thread is free, another is started, up to CONNECTIONS;
 * beyond that a request is sent as soon as a thread is free, counts as blocked,
 * and its latency still starts when it was due. Threads that are free are used
 * last in, first out: no more connections are open than are needed at once. */

#include "programs/campaign/loadgen/results.h"

/* Runs until all requests were answered, or SIGTERM or SIGINT came and those in
 * progress were answered. An error ends the run likewise. */
int mkv_load_loop(const struct mkv_load_options *options,
		  struct mkv_load_results *results,
		  struct mkv_load_outcome *ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);

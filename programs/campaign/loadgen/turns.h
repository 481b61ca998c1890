/* SPDX-License-Identifier: MIT */
#pragma once
/* Which of the senders sends the next request. One of them at most has the
 * turn: it takes the next request, waits until that is due and passes the turn
 * on. Senders that are free wait for it; the one that was free last gets it
 * first, so that no more connections are used than are needed at once. */

#include <pthread.h>
#include <semaphore.h>

#include "programs/campaign/loadgen/results.h"

/* The part of one sender. */
struct mkv_load_turn {
	sem_t given; /* posted: it has the turn, or the run is over */
	struct mkv_load_turn *next_idle;
	/* The request that it took: */
	size_t index;
	int64_t due_ns; /* CLOCK_MONOTONIC */
	bool is_blocked;
};

struct mkv_load_turns {
	const struct mkv_load_results *results;
	size_t total, senders_max;
	int64_t began_ns;
	sem_t *supervision;   /* posted when another sender is wanted */
	pthread_mutex_t lock; /* of the following */
	struct mkv_schedule schedule;
	size_t next; /* request; after the run, how many were sent */
	size_t n_senders;
	struct mkv_load_turn *idle; /* senders that are free */
	bool has_turn;		    /* one of the senders */
	bool is_over;		    /* nothing more is to be sent */
	bool wants_sender;
	bool is_saturated; /* nobody has the turn, and no more may start */
	int64_t free_ns;   /* when this was last over */
};

/* `began_ns` is the start of the schedule. A first sender is wanted. */
void mkv_load_turns_init(struct mkv_load_turns *turns,
			 const struct mkv_load_options *options,
			 const struct mkv_load_results *results,
			 int64_t began_ns, sem_t *supervision)
	mkv_nonnull(1, 2, 3, 5);

/* Waits for the turn and takes the next request. False: the run is over. */
bool mkv_load_turns_take(struct mkv_load_turns *turns,
			 struct mkv_load_turn *turn) mkv_nonnull(1, 2);
/* Gives the turn to a sender that is free; without one, the next that becomes
 * free takes it, and another sender is wanted if more are allowed. */
void mkv_load_turns_pass(struct mkv_load_turns *turns) mkv_nonnull(1);
/* The sender that has the turn sends nothing, and the run is over. */
void mkv_load_turns_give_back(struct mkv_load_turns *turns) mkv_nonnull(1);
/* Nothing more is to be sent. */
void mkv_load_turns_end(struct mkv_load_turns *turns) mkv_nonnull(1);
/* Gives a turn that nobody could take for want of room in the results to a
 * sender that is free. Called when samples have left the results. */
void mkv_load_turns_offer(struct mkv_load_turns *turns) mkv_nonnull(1);

/* Counts another sender if one is wanted; *ret_number is its number, from 1. */
bool mkv_load_turns_add_sender(struct mkv_load_turns *turns,
			       unsigned *ret_number) mkv_nonnull(1, 2);
/* The sender that was counted last could not be started. */
void mkv_load_turns_remove_sender(struct mkv_load_turns *turns) mkv_nonnull(1);

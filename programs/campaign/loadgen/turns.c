/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/turns.h"

#include "lib/clock.h"

void mkv_load_turns_init(struct mkv_load_turns *turns,
			 const struct mkv_load_options *options,
			 const struct mkv_load_results *results,
			 int64_t began_ns, sem_t *supervision)
{
	*turns = (struct mkv_load_turns){
		.results = results,
		.total = mkv_load_total(options),
		.senders_max = (size_t)options->connections,
		.began_ns = began_ns,
		.supervision = supervision,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.wants_sender = true,
	};
	mkv_schedule_init(&turns->schedule,
			  (enum mkv_arrivals)options->arrivals,
			  (uint64_t)options->rate, (uint64_t)options->seed);
}

/* The functions below whose names end in `_locked` are called with the lock. */

static bool has_room_locked(const struct mkv_load_turns *turns)
{
	return mkv_load_results_has_room(turns->results, turns->next);
}

static void end_locked(struct mkv_load_turns *turns)
{
	turns->is_over = true;
	while (turns->idle) {
		struct mkv_load_turn *turn = turns->idle;
		turns->idle = turn->next_idle;
		(void)sem_post(&turn->given);
	}
}

static void want_sender_locked(struct mkv_load_turns *turns)
{
	if (turns->idle || turns->wants_sender || turns->is_over ||
	    turns->n_senders == turns->senders_max)
		return;
	turns->wants_sender = true;
	(void)sem_post(turns->supervision);
}

/* Whoever takes a turn that nobody had ends a saturation: what was due until
 * now has waited for a free connection. */
static void take_free_turn_locked(struct mkv_load_turns *turns)
{
	turns->has_turn = true;
	if (turns->is_saturated)
		turns->free_ns = mkv_monotonic_ns();
	turns->is_saturated = false;
}

static void wait_idle_locked(struct mkv_load_turns *turns,
			     struct mkv_load_turn *turn)
{
	turn->next_idle = turns->idle;
	turns->idle = turn;
	(void)pthread_mutex_unlock(&turns->lock);
	while (sem_wait(&turn->given) < 0)
		;
	(void)pthread_mutex_lock(&turns->lock);
}

static void take_request_locked(struct mkv_load_turns *turns,
				struct mkv_load_turn *turn)
{
	turn->index = turns->next++;
	turn->due_ns = turns->began_ns + mkv_schedule_next(&turns->schedule);
	turn->is_blocked = turn->due_ns < turns->free_ns;
	/* Now, since there is time before the request is due. */
	want_sender_locked(turns);
}

bool mkv_load_turns_take(struct mkv_load_turns *turns,
			 struct mkv_load_turn *turn)
{
	(void)pthread_mutex_lock(&turns->lock);
	if (!turns->is_over && (turns->has_turn || !has_room_locked(turns)))
		wait_idle_locked(turns, turn);
	else if (!turns->is_over)
		take_free_turn_locked(turns);
	bool goes_on = !turns->is_over;
	if (goes_on)
		take_request_locked(turns, turn);
	(void)pthread_mutex_unlock(&turns->lock);
	return goes_on;
}

static struct mkv_load_turn *pop_idle_locked(struct mkv_load_turns *turns)
{
	struct mkv_load_turn *turn =
		has_room_locked(turns) ? turns->idle : NULL;
	if (turn)
		turns->idle = turn->next_idle;
	return turn;
}

void mkv_load_turns_pass(struct mkv_load_turns *turns)
{
	struct mkv_load_turn *follower = NULL;
	(void)pthread_mutex_lock(&turns->lock);
	if (turns->next == turns->total)
		end_locked(turns);
	if (!turns->is_over)
		follower = pop_idle_locked(turns);
	if (!follower) {
		turns->has_turn = false;
		turns->is_saturated = !has_room_locked(turns) ||
				      turns->n_senders == turns->senders_max;
		want_sender_locked(turns);
	}
	(void)pthread_mutex_unlock(&turns->lock);
	if (follower)
		(void)sem_post(&follower->given);
}

void mkv_load_turns_offer(struct mkv_load_turns *turns)
{
	struct mkv_load_turn *turn = NULL;
	(void)pthread_mutex_lock(&turns->lock);
	if (!turns->has_turn && !turns->is_over)
		turn = pop_idle_locked(turns);
	if (turn)
		take_free_turn_locked(turns);
	(void)pthread_mutex_unlock(&turns->lock);
	if (turn)
		(void)sem_post(&turn->given);
}

void mkv_load_turns_give_back(struct mkv_load_turns *turns)
{
	(void)pthread_mutex_lock(&turns->lock);
	turns->next--;
	end_locked(turns);
	(void)pthread_mutex_unlock(&turns->lock);
}

void mkv_load_turns_end(struct mkv_load_turns *turns)
{
	(void)pthread_mutex_lock(&turns->lock);
	end_locked(turns);
	(void)pthread_mutex_unlock(&turns->lock);
}

bool mkv_load_turns_add_sender(struct mkv_load_turns *turns,
			       unsigned *ret_number)
{
	(void)pthread_mutex_lock(&turns->lock);
	bool is_wanted = turns->wants_sender && !turns->is_over;
	turns->wants_sender = false;
	if (is_wanted)
		*ret_number = (unsigned)++turns->n_senders;
	(void)pthread_mutex_unlock(&turns->lock);
	return is_wanted;
}

void mkv_load_turns_remove_sender(struct mkv_load_turns *turns)
{
	(void)pthread_mutex_lock(&turns->lock);
	turns->n_senders--;
	(void)pthread_mutex_unlock(&turns->lock);
}

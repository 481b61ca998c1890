/* SPDX-License-Identifier: MIT */
#include "lib/clock.h"
#include "lib/thread.h"
#include "programs/campaign/loadgen/loop_internal.h"
#include "programs/lib/log.h"

enum { LOGGED_MAX = 20 };

static void log_failure(struct mkv_load_loop *loop, size_t index,
			const struct mkv_error *err)
{
	(void)pthread_mutex_lock(&loop->lock);
	unsigned logged = loop->n_logged++;
	(void)pthread_mutex_unlock(&loop->lock);
	if (logged < LOGGED_MAX)
		mkv_log_error("request %zu: %s", index, err->message);
	else if (logged == LOGGED_MAX)
		mkv_log_error("further failed requests are not logged");
}

static void send_request(struct mkv_load_sender *sender)
{
	struct mkv_load_loop *loop = sender->loop;
	const struct mkv_load_turn *turn = &sender->turn;
	struct mkv_error err;
	struct mkv_load_sample *sample =
		mkv_load_results_sample(loop->results, turn->index);
	sample->intended_ns = turn->due_ns - loop->turns.began_ns;
	sample->connection = sender->number;
	sample->is_blocked = turn->is_blocked;
	int rc = mkv_load_request_send(sender->request, turn->due_ns, sample,
				       &err);
	mkv_load_results_complete(loop->results, turn->index);
	if (rc < 0)
		log_failure(loop, turn->index, &err);
	if (sender->has_sent)
		return;
	sender->has_sent = true;
	(void)pthread_mutex_lock(&loop->lock);
	loop->connections_used++;
	(void)pthread_mutex_unlock(&loop->lock);
}

static void spin_until(int64_t ns)
{
	while (mkv_monotonic_ns() < ns)
		__builtin_ia32_pause();
}

/* Prepares and sends the request that was taken. False: the run stops. */
static bool prepare_and_send(struct mkv_load_sender *sender)
{
	struct mkv_load_loop *loop = sender->loop;
	struct mkv_error err;
	int rc = mkv_load_request_prepare(sender->request, sender->turn.index,
					  &err);
	bool stops = rc < 0 ||
		     mkv_load_wait_until(&loop->due,
					 sender->turn.due_ns - loop->spin_ns) ||
		     atomic_load(&loop->is_stopping);
	if (stops)
		mkv_load_turns_give_back(&loop->turns);
	if (rc < 0)
		mkv_load_fail(loop, rc, &err);
	if (stops)
		return false;
	mkv_load_results_count_sent(loop->results, sender->turn.index);
	mkv_load_turns_pass(&loop->turns);
	spin_until(sender->turn.due_ns);
	send_request(sender);
	return true;
}

static void *run_sender(void *context)
{
	struct mkv_load_sender *sender = context;
	struct mkv_load_loop *loop = sender->loop;
	while (mkv_load_turns_take(&loop->turns, &sender->turn) &&
	       prepare_and_send(sender))
		;
	(void)pthread_mutex_lock(&loop->lock);
	loop->n_running--;
	(void)pthread_mutex_unlock(&loop->lock);
	(void)sem_post(&loop->supervision);
	return NULL;
}

int mkv_load_sender_start(struct mkv_load_loop *loop, unsigned number,
			  struct mkv_load_sender **ret, struct mkv_error *err)
{
	struct mkv_load_sender *sender = calloc(1, sizeof(*sender));
	if (!sender)
		return mkv_oom(err);
	sender->loop = loop;
	sender->number = number;
	(void)sem_init(&sender->turn.given, 0, 0);
	int rc = mkv_load_request_new(loop->options, &sender->request, err);
	if (rc == 0)
		rc = mkv_thread_start(&sender->thread, run_sender, sender, err,
				      "connection %u of %lld", number,
				      (long long)loop->options->connections);
	if (rc < 0)
		mkv_load_sender_free(sender);
	else
		*ret = sender;
	return rc;
}

void mkv_load_sender_free(struct mkv_load_sender *sender)
{
	if (!sender)
		return;
	mkv_load_request_free(sender->request);
	(void)sem_destroy(&sender->turn.given);
	free(sender);
}

/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/loop.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>

#include "lib/clock.h"
#include "lib/thread.h"
#include "programs/campaign/loadgen/request.h"
#include "programs/lib/log.h"

enum {
	START_NS = 100 * MKV_NS_PER_MS, /* until the first request is due */
	TICK_NS = 100 * MKV_NS_PER_MS,
	LOGGED_MAX = 20,
};

struct sender {
	pthread_t thread;
	struct mkv_load_request *request;
	unsigned number;
	sem_t turn; /* posted: it has the turn, or the run is over */
	struct sender *next_idle;
	/* The request that it sends: */
	size_t index;
	int64_t due_ns;
	bool is_blocked, has_sent;
};

static struct loop {
	const struct mkv_load_options *options;
	struct mkv_load_results *results;
	struct mkv_schedule schedule;
	size_t total;
	int64_t began_ns, spin_ns;
	struct sender **senders;
	pthread_mutex_t lock; /* of the following */
	size_t next;	      /* request */
	size_t n_senders, n_running;
	struct sender *idle;
	bool has_turn;	   /* one of the senders */
	bool is_over;	   /* nothing more is to be sent */
	bool wants_sender; /* another one is to be started */
	bool is_saturated; /* nobody has the turn, and no more may start */
	int64_t free_ns;   /* when this was last over */
	unsigned n_logged, connections_used;
	int rc;
	struct mkv_error error; /* the first, with rc */
} loop;

static atomic_bool stopping;
static sem_t due;	  /* posted: whoever waits for a request stops */
static sem_t supervision; /* posted: the supervisor looks at the loop */

static void handle_stop(int number)
{
	(void)number;
	atomic_store(&stopping, true);
	(void)sem_post(&due);
	(void)sem_post(&supervision);
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0)
		;
}

/* False after the time. */
static bool wait_until(sem_t *semaphore, int64_t ns)
{
	const struct timespec until = mkv_timespec_of_ns(ns);
	while (sem_clockwait(semaphore, CLOCK_MONOTONIC, &until) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

/* The functions below whose names end in `_locked` are called with the lock. */

static bool has_room_locked(void)
{
	return mkv_load_results_has_room(loop.results, loop.next);
}

static void end_locked(void)
{
	loop.is_over = true;
	while (loop.idle) {
		struct sender *sender = loop.idle;
		loop.idle = sender->next_idle;
		(void)sem_post(&sender->turn);
	}
}

static void fail_locked(int rc, const struct mkv_error *err)
{
	if (loop.rc == 0) {
		loop.rc = rc;
		loop.error = *err;
	}
	end_locked();
	handle_stop(0);
}

static void want_sender_locked(void)
{
	if (loop.idle || loop.wants_sender || loop.is_over ||
	    loop.n_senders == (size_t)loop.options->connections)
		return;
	loop.wants_sender = true;
	(void)sem_post(&supervision);
}

/* Whoever takes a turn that nobody had ends a saturation: what was due until
 * now has waited for a free connection. */
static void take_free_turn_locked(void)
{
	loop.has_turn = true;
	if (loop.is_saturated)
		loop.free_ns = mkv_monotonic_ns();
	loop.is_saturated = false;
}

/* Waits for the turn. False: the run is over. */
static bool take_turn(struct sender *sender)
{
	(void)pthread_mutex_lock(&loop.lock);
	if (!loop.is_over && (loop.has_turn || !has_room_locked())) {
		sender->next_idle = loop.idle;
		loop.idle = sender;
		(void)pthread_mutex_unlock(&loop.lock);
		wait_for(&sender->turn);
		(void)pthread_mutex_lock(&loop.lock);
	} else if (!loop.is_over) {
		take_free_turn_locked();
	}
	bool goes_on = !loop.is_over;
	if (goes_on) {
		sender->index = loop.next++;
		sender->due_ns =
			loop.began_ns + mkv_schedule_next(&loop.schedule);
		sender->is_blocked = sender->due_ns < loop.free_ns;
		/* Before its request is due, not then. */
		want_sender_locked();
	}
	(void)pthread_mutex_unlock(&loop.lock);
	return goes_on;
}

static struct sender *take_idle_locked(void)
{
	struct sender *sender = has_room_locked() ? loop.idle : NULL;
	if (sender)
		loop.idle = sender->next_idle;
	return sender;
}

/* Gives the turn to a sender that is free, if there is one. */
static void pass_turn(void)
{
	struct sender *follower = NULL;
	(void)pthread_mutex_lock(&loop.lock);
	if (loop.next == loop.total)
		end_locked();
	if (!loop.is_over)
		follower = take_idle_locked();
	if (!follower) {
		loop.has_turn = false;
		loop.is_saturated =
			!has_room_locked() ||
			loop.n_senders == (size_t)loop.options->connections;
		want_sender_locked();
	}
	(void)pthread_mutex_unlock(&loop.lock);
	if (follower)
		(void)sem_post(&follower->turn);
}

/* After samples have left the ring: a turn that nobody could take for want of
 * room is given to a sender that is free. */
static void offer_turn(void)
{
	struct sender *sender = NULL;
	(void)pthread_mutex_lock(&loop.lock);
	if (!loop.has_turn && !loop.is_over)
		sender = take_idle_locked();
	if (sender)
		take_free_turn_locked();
	(void)pthread_mutex_unlock(&loop.lock);
	if (sender)
		(void)sem_post(&sender->turn);
}

static void give_back_turn(void)
{
	(void)pthread_mutex_lock(&loop.lock);
	loop.next--;
	end_locked();
	(void)pthread_mutex_unlock(&loop.lock);
}

static void log_failure(size_t index, const struct mkv_error *err)
{
	(void)pthread_mutex_lock(&loop.lock);
	unsigned logged = loop.n_logged++;
	(void)pthread_mutex_unlock(&loop.lock);
	if (logged < LOGGED_MAX)
		mkv_log_error("request %zu: %s", index, err->message);
	else if (logged == LOGGED_MAX)
		mkv_log_error("further failed requests are not logged");
}

static void send_request(struct sender *sender)
{
	struct mkv_error err;
	struct mkv_load_sample *sample =
		mkv_load_results_sample(loop.results, sender->index);
	sample->intended_ns = sender->due_ns - loop.began_ns;
	sample->connection = sender->number;
	sample->is_blocked = sender->is_blocked;
	mkv_load_results_count_sent(loop.results, sender->index);
	int rc = mkv_load_request_send(sender->request, sender->due_ns, sample,
				       &err);
	mkv_load_results_complete(loop.results, sender->index);
	if (rc < 0)
		log_failure(sender->index, &err);
	if (sender->has_sent)
		return;
	sender->has_sent = true;
	(void)pthread_mutex_lock(&loop.lock);
	loop.connections_used++;
	(void)pthread_mutex_unlock(&loop.lock);
}

/* A timer is late by the time that a processor takes to wake up, so it is set
 * early, and the rest is spent with giving the turn away and looking at the
 * clock. At most an eighth of the mean gap, so that it is at most an eighth of
 * a processor; and nothing where the sender would keep its only processor from
 * those that receive answers. */
static int64_t spin_ns(const struct mkv_load_options *options)
{
	cpu_set_t allowed;
	int64_t most_ns = MKV_NS_PER_S / options->rate / 8;
	int64_t wanted_ns = options->spin_us * 1000;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0 &&
	    CPU_COUNT(&allowed) < 2)
		return 0;
	return wanted_ns < most_ns ? wanted_ns : most_ns;
}

static void spin_until(int64_t ns)
{
	while (mkv_monotonic_ns() < ns)
		__builtin_ia32_pause();
}

static void *run_sender(void *context)
{
	struct sender *sender = context;
	struct mkv_error err;
	int rc = 0;
	while (rc == 0 && take_turn(sender)) {
		rc = mkv_load_request_prepare(sender->request, sender->index,
					      &err);
		if (rc < 0 || wait_until(&due, sender->due_ns - loop.spin_ns) ||
		    atomic_load(&stopping)) {
			give_back_turn();
			break;
		}
		pass_turn();
		spin_until(sender->due_ns);
		send_request(sender);
	}
	(void)pthread_mutex_lock(&loop.lock);
	if (rc < 0)
		fail_locked(rc, &err);
	loop.n_running--;
	(void)pthread_mutex_unlock(&loop.lock);
	(void)sem_post(&supervision);
	return NULL;
}

static void free_sender(struct sender *sender)
{
	if (!sender)
		return;
	mkv_load_request_free(sender->request);
	(void)sem_destroy(&sender->turn);
	free(sender);
}

static int start_sender(unsigned number, struct sender **ret,
			struct mkv_error *err)
{
	struct sender *sender = calloc(1, sizeof(*sender));
	if (!sender)
		return mkv_oom(err);
	sender->number = number;
	(void)sem_init(&sender->turn, 0, 0);
	int rc = mkv_load_request_new(loop.options, &sender->request, err);
	if (rc == 0)
		rc = mkv_thread_start(&sender->thread, run_sender, sender, err,
				      "connection %u of %lld", number,
				      (long long)loop.options->connections);
	if (rc < 0)
		free_sender(sender);
	else
		*ret = sender;
	return rc;
}

/* Starts another sender if one is wanted. Without the lock, which would hold up
 * whoever has the turn. */
static void add_sender(void)
{
	struct mkv_error err;
	(void)pthread_mutex_lock(&loop.lock);
	bool is_wanted = loop.wants_sender && !loop.is_over;
	loop.wants_sender = false;
	size_t number = loop.n_senders;
	loop.n_senders += is_wanted;
	loop.n_running += is_wanted;
	(void)pthread_mutex_unlock(&loop.lock);
	if (!is_wanted)
		return;
	int rc =
		start_sender((unsigned)number + 1, &loop.senders[number], &err);
	if (rc == 0)
		return;
	/* Fewer connections would be another load. */
	(void)pthread_mutex_lock(&loop.lock);
	loop.n_senders--;
	loop.n_running--;
	fail_locked(rc, &err);
	(void)pthread_mutex_unlock(&loop.lock);
}

static int write_results(int64_t now_ns, int64_t *progress_ns,
			 struct mkv_error *err)
{
	int rc = mkv_load_results_write(loop.results, err);
	if (rc < 0 || now_ns < *progress_ns)
		return rc;
	*progress_ns += MKV_NS_PER_S;
	(void)pthread_mutex_lock(&loop.lock);
	unsigned connections = loop.connections_used;
	(void)pthread_mutex_unlock(&loop.lock);
	return mkv_load_results_progress(loop.results, connections, false, err);
}

/* Whether senders are still running. */
static bool look_at_senders(int rc, const struct mkv_error *err)
{
	(void)pthread_mutex_lock(&loop.lock);
	if (rc < 0)
		fail_locked(rc, err);
	else if (atomic_load(&stopping))
		end_locked();
	bool runs = loop.n_running > 0;
	(void)pthread_mutex_unlock(&loop.lock);
	return runs;
}

/* Starts senders and writes results until all senders have ended. */
static void supervise(void)
{
	struct mkv_error err;
	int64_t tick_ns = mkv_monotonic_ns(), progress_ns = loop.began_ns;
	int rc = 0;
	do {
		add_sender();
		if (mkv_monotonic_ns() < tick_ns)
			continue;
		tick_ns = mkv_monotonic_ns() + TICK_NS;
		rc = rc < 0 ? rc : write_results(tick_ns, &progress_ns, &err);
		offer_turn();
	} while (look_at_senders(rc, &err) &&
		 (wait_until(&supervision, tick_ns), true));
}

static int join_senders(struct mkv_error *err)
{
	for (size_t i = 0; i < loop.n_senders; i++) {
		(void)pthread_join(loop.senders[i]->thread, NULL);
		free_sender(loop.senders[i]);
	}
	free(loop.senders);
	if (loop.rc < 0) {
		*err = loop.error;
		return loop.rc;
	}
	return mkv_load_results_write(loop.results, err);
}

int mkv_load_loop(const struct mkv_load_options *options,
		  struct mkv_load_results *results,
		  struct mkv_load_outcome *ret, struct mkv_error *err)
{
	loop = (struct loop){
		.options = options,
		.results = results,
		.total = mkv_load_total(options),
		.senders = calloc((size_t)options->connections,
				  sizeof(*loop.senders)),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.wants_sender = true,
		.spin_ns = spin_ns(options),
	};
	if (!loop.senders)
		return mkv_oom(err);
	mkv_schedule_init(&loop.schedule, (enum mkv_arrivals)options->arrivals,
			  (uint64_t)options->rate, (uint64_t)options->seed);
	(void)sem_init(&due, 0, 0);
	(void)sem_init(&supervision, 0, 0);
	(void)signal(SIGTERM, handle_stop);
	(void)signal(SIGINT, handle_stop);
	/* Inherited by the senders; the kernel's default is 50 microseconds. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	loop.began_ns = mkv_monotonic_ns() + START_NS;
	int64_t began_realtime_ns = mkv_realtime_ns() + START_NS;
	supervise();
	int rc = join_senders(err);
	if (rc < 0)
		return rc;
	*ret = (struct mkv_load_outcome){
		.sent = loop.next,
		.is_interrupted = loop.next < loop.total,
		.began_realtime_ns = began_realtime_ns,
		.ended_realtime_ns = mkv_realtime_ns(),
		.connections_used = loop.connections_used,
	};
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/loop.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "lib/clock.h"
#include "programs/campaign/loadgen/loop_internal.h"

enum {
	START_NS = 100 * MKV_NS_PER_MS, /* until the first request is due */
	TICK_NS = 100 * MKV_NS_PER_MS,
};

static struct mkv_load_loop loop; /* static for the handler of signals */

static void handle_stop(int number)
{
	(void)number;
	atomic_store(&loop.is_stopping, true);
	(void)sem_post(&loop.due);
	(void)sem_post(&loop.supervision);
}

bool mkv_load_wait_until(sem_t *semaphore, int64_t ns)
{
	const struct timespec until = mkv_timespec_of_ns(ns);
	while (sem_clockwait(semaphore, CLOCK_MONOTONIC, &until) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

void mkv_load_fail(struct mkv_load_loop *failed, int rc,
		   const struct mkv_error *err)
{
	(void)pthread_mutex_lock(&failed->lock);
	if (failed->rc == 0) {
		failed->rc = rc;
		failed->error = *err;
	}
	(void)pthread_mutex_unlock(&failed->lock);
	mkv_load_turns_end(&failed->turns);
	handle_stop(0);
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

/* Starts another sender if one is wanted. Not with the lock of the turns, which
 * would hold up whoever has the turn. */
static void add_sender(void)
{
	struct mkv_error err;
	unsigned number;
	if (!mkv_load_turns_add_sender(&loop.turns, &number))
		return;
	(void)pthread_mutex_lock(&loop.lock);
	loop.n_running++;
	(void)pthread_mutex_unlock(&loop.lock);
	int rc = mkv_load_sender_start(&loop, number, &loop.senders[number - 1],
				       &err);
	if (rc == 0)
		return;
	mkv_load_turns_remove_sender(&loop.turns);
	(void)pthread_mutex_lock(&loop.lock);
	loop.n_running--;
	(void)pthread_mutex_unlock(&loop.lock);
	/* Fewer connections would be another load. */
	mkv_load_fail(&loop, rc, &err);
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
static bool look_at_senders(void)
{
	if (atomic_load(&loop.is_stopping))
		mkv_load_turns_end(&loop.turns);
	(void)pthread_mutex_lock(&loop.lock);
	bool runs = loop.n_running > 0;
	(void)pthread_mutex_unlock(&loop.lock);
	return runs;
}

/* Starts senders and writes results until all senders have ended. */
static void supervise(void)
{
	struct mkv_error err;
	int64_t tick_ns = mkv_monotonic_ns();
	int64_t progress_ns = loop.turns.began_ns;
	int rc = 0;
	for (;;) {
		add_sender();
		if (mkv_monotonic_ns() >= tick_ns) {
			tick_ns = mkv_monotonic_ns() + TICK_NS;
			rc = rc < 0 ? rc
				    : write_results(tick_ns, &progress_ns,
						    &err);
			if (rc < 0)
				mkv_load_fail(&loop, rc, &err);
			mkv_load_turns_offer(&loop.turns);
		}
		if (!look_at_senders())
			return;
		(void)mkv_load_wait_until(&loop.supervision, tick_ns);
	}
}

static int join_senders(struct mkv_error *err)
{
	for (size_t i = 0; i < loop.turns.n_senders; i++) {
		(void)pthread_join(loop.senders[i]->thread, NULL);
		mkv_load_sender_free(loop.senders[i]);
	}
	free(loop.senders);
	if (loop.rc < 0) {
		*err = loop.error;
		return loop.rc;
	}
	return mkv_load_results_write(loop.results, err);
}

static int init_loop(const struct mkv_load_options *options,
		     struct mkv_load_results *results, struct mkv_error *err)
{
	loop.options = options;
	loop.results = results;
	loop.senders =
		calloc((size_t)options->connections, sizeof(*loop.senders));
	if (!loop.senders)
		return mkv_oom(err);
	loop.spin_ns = spin_ns(options);
	(void)pthread_mutex_init(&loop.lock, NULL);
	(void)sem_init(&loop.due, 0, 0);
	(void)sem_init(&loop.supervision, 0, 0);
	(void)signal(SIGTERM, handle_stop);
	(void)signal(SIGINT, handle_stop);
	/* Inherited by the senders; the kernel's default is 50 microseconds. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	return 0;
}

int mkv_load_loop(const struct mkv_load_options *options,
		  struct mkv_load_results *results,
		  struct mkv_load_outcome *ret, struct mkv_error *err)
{
	int rc = init_loop(options, results, err);
	if (rc < 0)
		return rc;
	int64_t began_realtime_ns = mkv_realtime_ns() + START_NS;
	mkv_load_turns_init(&loop.turns, options, results,
			    mkv_monotonic_ns() + START_NS, &loop.supervision);
	supervise();
	rc = join_senders(err);
	if (rc < 0)
		return rc;
	*ret = (struct mkv_load_outcome){
		.sent = loop.turns.next,
		.is_interrupted = loop.turns.next < loop.turns.total,
		.began_realtime_ns = began_realtime_ns,
		.ended_realtime_ns = mkv_realtime_ns(),
		.connections_used = loop.connections_used,
	};
	return 0;
}

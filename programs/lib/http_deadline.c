/* SPDX-License-Identifier: MIT */
#include "programs/lib/http_deadline.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/thread.h"

struct arrival {
	struct arrival *next, **link; /* *link points to this one */
	int fd;
	bool waits; /* for a request, since: */
	int64_t since_ns;
};

struct mkv_http_deadline {
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	bool stopping;
	int64_t limit_ns;
	struct arrival *first;
	pthread_t thread;
};

/* The server closes the connection when it reads the end of the stream; it may
 * not be closed here, since its descriptor would be that of another one. */
static void close_overdue(const struct mkv_http_deadline *deadline)
{
	int64_t now_ns = mkv_monotonic_ns();
	for (struct arrival *one = deadline->first; one; one = one->next)
		if (one->waits && now_ns - one->since_ns > deadline->limit_ns)
			(void)shutdown(one->fd, SHUT_RDWR);
}

static void *close_connections(void *context)
{
	struct mkv_http_deadline *deadline = context;
	(void)pthread_mutex_lock(&deadline->lock);
	while (!deadline->stopping) {
		struct timespec until =
			mkv_timespec_of_ns(mkv_monotonic_ns() + MKV_NS_PER_S);
		(void)pthread_cond_clockwait(&deadline->stopped,
					     &deadline->lock, CLOCK_MONOTONIC,
					     &until);
		close_overdue(deadline);
	}
	(void)pthread_mutex_unlock(&deadline->lock);
	return NULL;
}

static void free_deadline(struct mkv_http_deadline *deadline)
{
	(void)pthread_cond_destroy(&deadline->stopped);
	(void)pthread_mutex_destroy(&deadline->lock);
	free(deadline);
}

int mkv_http_deadline_start(unsigned limit_s, struct mkv_http_deadline **ret,
			    struct mkv_error *err)
{
	struct mkv_http_deadline *deadline = calloc(1, sizeof(*deadline));
	if (!deadline)
		return mkv_oom(err);
	(void)pthread_mutex_init(&deadline->lock, NULL);
	(void)pthread_cond_init(&deadline->stopped, NULL);
	deadline->limit_ns = (int64_t)limit_s * MKV_NS_PER_S;
	int rc = mkv_thread_start(&deadline->thread, close_connections,
				  deadline, err, "HTTP deadlines");
	if (rc < 0) {
		free_deadline(deadline);
		return rc;
	}
	*ret = deadline;
	return 0;
}

void mkv_http_deadline_stop(struct mkv_http_deadline *deadline)
{
	if (!deadline)
		return;
	(void)pthread_mutex_lock(&deadline->lock);
	deadline->stopping = true;
	(void)pthread_cond_signal(&deadline->stopped);
	(void)pthread_mutex_unlock(&deadline->lock);
	(void)pthread_join(deadline->thread, NULL);
	free_deadline(deadline);
}

/* Without memory for it a connection has no deadline. */
static struct arrival *begin_arrival(struct mkv_http_deadline *deadline,
				     struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct arrival *one = info ? calloc(1, sizeof(*one)) : NULL;
	if (!one)
		return NULL;
	one->fd = info->connect_fd;
	one->waits = true;
	one->since_ns = mkv_monotonic_ns();
	one->next = deadline->first;
	one->link = &deadline->first;
	if (one->next)
		one->next->link = &one->next;
	deadline->first = one;
	return one;
}

static void end_arrival(struct arrival *one)
{
	if (!one)
		return;
	*one->link = one->next;
	if (one->next)
		one->next->link = one->link;
	free(one);
}

void mkv_http_deadline_notify(void *context, struct MHD_Connection *connection,
			      void **socket_context,
			      enum MHD_ConnectionNotificationCode code)
{
	struct mkv_http_deadline *deadline = context;
	(void)pthread_mutex_lock(&deadline->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*socket_context = begin_arrival(deadline, connection);
	else
		end_arrival(*socket_context);
	(void)pthread_mutex_unlock(&deadline->lock);
}

static void set_waits(struct mkv_http_deadline *deadline,
		      struct MHD_Connection *connection, bool waits)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct arrival *one = info ? info->socket_context : NULL;
	if (!one)
		return;
	(void)pthread_mutex_lock(&deadline->lock);
	one->waits = waits;
	one->since_ns = mkv_monotonic_ns();
	(void)pthread_mutex_unlock(&deadline->lock);
}

void mkv_http_deadline_arrived(struct mkv_http_deadline *deadline,
			       struct MHD_Connection *connection)
{
	set_waits(deadline, connection, false);
}

void mkv_http_deadline_answered(struct mkv_http_deadline *deadline,
				struct MHD_Connection *connection)
{
	set_waits(deadline, connection, true);
}

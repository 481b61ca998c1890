/* SPDX-License-Identifier: MIT */
#pragma once
/* Closes connections whose next request does not arrive as a whole in time. The
 * server's own limit is one of inactivity: a client that sends a byte each
 * second would hold its connection for ever. */

#include <microhttpd.h>

#include "lib/error.h"

struct mkv_http_deadline;
/* Starts the thread that closes connections. */
int mkv_http_deadline_start(unsigned limit_s, struct mkv_http_deadline **ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);
/* Stops the thread and frees the object, when the server has stopped. NULL is
 * allowed. */
void mkv_http_deadline_stop(struct mkv_http_deadline *deadline);

/* For MHD_OPTION_NOTIFY_CONNECTION, with the object as its context. */
void mkv_http_deadline_notify(void *context, struct MHD_Connection *connection,
			      void **socket_context,
			      enum MHD_ConnectionNotificationCode code);
/* The request of a connection has arrived: it has time for its answer. */
void mkv_http_deadline_arrived(struct mkv_http_deadline *deadline,
			       struct MHD_Connection *connection)
	mkv_nonnull(1, 2);
/* The answer was sent: the time for the next request begins. */
void mkv_http_deadline_answered(struct mkv_http_deadline *deadline,
				struct MHD_Connection *connection)
	mkv_nonnull(1, 2);

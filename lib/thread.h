/* SPDX-License-Identifier: MIT */
#pragma once
/* Threads that somebody needs: one that can't be started is an error. */

#include <pthread.h>

#include "lib/error.h"

/* Starts `main`. `format` names the thread for the error ("exporter of spans"),
 * which has the reason: mostly -EAGAIN, a limit. */
int mkv_thread_start(pthread_t *ret, void *(*main)(void *), void *context,
		     struct mkv_error *err, const char *format,
		     ...) mkv_must_check mkv_nonnull(1, 2, 4, 5)
	mkv_printf(5, 6);

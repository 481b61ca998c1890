/* SPDX-License-Identifier: MIT */
#pragma once
/* Starting threads. */

#include <pthread.h>

#include "lib/error.h"

/* Starts `main` on a thread. `format` names the thread in the error message
 * ("exporter of spans"). -EAGAIN: a limit was reached. */
int mkv_thread_start(pthread_t *ret, void *(*main)(void *), void *context,
		     struct mkv_error *err, const char *format,
		     ...) mkv_must_check mkv_nonnull(1, 2, 4, 5)
	mkv_printf(5, 6);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Waits until the application is ready for a run. */

#include "lib/error.h"

/* Queries the health of order, payment, user and the collector once per second
 * until each has answered 200. -EHOSTDOWN, with the name of the service, after
 * `limit_s` seconds. With a limit of 0 returns at once. Creates no spans. */
int mkv_load_wait_ready(unsigned limit_s, struct mkv_error *err) mkv_must_check
	mkv_nonnull(2);

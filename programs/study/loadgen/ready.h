/* SPDX-License-Identifier: MIT */
#pragma once
/* Whether the application can take a run. */

#include "lib/error.h"

/* Asks order, payment, user and the collector for their health, once a second,
 * until each has answered 200; -EHOSTDOWN, with the one that hasn't, when
 * `limit_s` are over. 0 seconds: doesn't ask. Traces nothing. */
int mkv_load_wait_ready(unsigned limit_s, struct mkv_error *err) mkv_must_check
	mkv_nonnull(2);

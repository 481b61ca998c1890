/* SPDX-License-Identifier: MIT */
#pragma once
/* Whether a service answers: GET with status 200. */

#include "lib/error.h"

/* -EHOSTDOWN: no answer within a few seconds, or another status. */
int mkv_agent_health(const char *address, unsigned port, const char *path,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Downloads what an attempt measured from the conductor into the bundle. */

#include "builder/evidence/bundle/bundle.h"
#include "builder/run/campaign/client.h"

/* 1: the conductor has no result of this attempt. 0: the bundle holds it, whole
 * and checked, and *ret_valid says whether it counts. -EHOSTDOWN: the
 * connection failed; a later call continues the download. */
int mkv_collect_attempt(struct mkv_client *client, struct mkv_bundle *bundle,
			const char *run, unsigned attempt, int64_t time_ns,
			bool *ret_valid, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 6, 7);

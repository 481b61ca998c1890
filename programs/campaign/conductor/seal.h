/* SPDX-License-Identifier: MIT */
#pragma once
/* run.json: what an attempt was, and whether it counts. */

#include "programs/campaign/conductor/attempt.h"
#include "programs/campaign/conductor/order.h"
#include "programs/campaign/conductor/validity.h"

struct mkv_seal {
	const struct mkv_self *self;
	const struct mkv_run_order *order;
	struct mkv_span_facts spans; /* of the services and the collector;
					expected and dropped of the load
					generator are added */
	int64_t drain_ns;
	int64_t now_realtime_ns; /* the end of the last phase */
};

/* Reads the results in `directory`, adds the reasons that they give to
 * `attempt`, and writes run.json there. */
int mkv_seal_write(const struct mkv_seal *seal, struct mkv_attempt *attempt,
		   const char *directory, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* [{"name","start_ns","end_ns"}] */
json_t *mkv_phases_pack(const struct mkv_attempt *attempt) mkv_nonnull(1);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The conductor: one attempt at a time, on a thread of its own, and what the
 * outside may know of it.
 *
 *     DIRECTORY/sequence            the largest sequence of an accepted command
 *     DIRECTORY/attempt/order.json  the attempt in progress, as posted
 *     DIRECTORY/attempt/phases.json its phases so far
 *     DIRECTORY/attempt/run/        its result, until it is complete
 *     DIRECTORY/runs/               results (results.h)
 */

#include "programs/campaign/conductor/order.h"
#include "programs/campaign/conductor/results.h"

struct mkv_conductor;

/* Loads what is on the disk and starts the thread. An attempt that an earlier
 * process left is ended as interrupted. */
int mkv_conductor_start(const struct mkv_self *self, struct mkv_conductor **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Stops the thread. An attempt in progress stays on the disk. */
void mkv_conductor_stop(struct mkv_conductor *conductor);

enum mkv_accepted {
	MKV_ACCEPTED_NEW,
	MKV_ACCEPTED_BEFORE, /* the same attempt runs, or has a result */
	MKV_ACCEPTED_BUSY,   /* another attempt runs */
	MKV_ACCEPTED_REPLAY, /* a sequence that is not larger than the last */
	MKV_ACCEPTED_EXISTS, /* the result of another plan has the name */
	MKV_ACCEPTED_FULL,   /* not enough free space */
};
/* Begins an attempt. Takes the order, also when it is not accepted. *ret_detail
 * describes a refusal: {"run","attempt","plan_sha256",...}. */
int mkv_conductor_accept(struct mkv_conductor *conductor,
			 struct mkv_run_order *order, enum mkv_accepted *ret,
			 json_t **ret_detail,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Executes an abort or a discard. -EEXIST: a sequence that is not larger than
 * the last; -ENOENT: no such attempt or result; -EBUSY: it is in progress;
 * -EINVAL: another step. */
int mkv_conductor_command(struct mkv_conductor *conductor,
			  const struct mkv_command *command,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The answer to GET /v1/state. */
json_t *mkv_conductor_state(struct mkv_conductor *conductor) mkv_nonnull(1);
json_t *mkv_conductor_results(struct mkv_conductor *conductor) mkv_nonnull(1);
int mkv_conductor_open(struct mkv_conductor *conductor, int64_t index,
		       int64_t file, int *ret_fd, uint64_t *ret_size,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5, 6);

/* SPDX-License-Identifier: MIT */
#pragma once
/* A set of ids, kept as 64 bits of a hash of each: two of 10 million different
 * ids collide with a probability of 1 to 370,000. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/auto.h"

struct mkv_idset {
	uint64_t *slots; /* 0: free */
	size_t n_slots, count;
};
void mkv_idset_done(struct mkv_idset *set) mkv_nonnull(1);
#define auto_idset __attribute__((cleanup(mkv_idset_done)))

/* False: out of memory. */
bool mkv_idset_add(struct mkv_idset *set, const void *id,
		   size_t size) mkv_must_check mkv_nonnull(1, 2);
bool mkv_idset_has(const struct mkv_idset *set, const void *id, size_t size)
	mkv_nonnull(1, 2);

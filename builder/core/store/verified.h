/* SPDX-License-Identifier: MIT */
#pragma once
/* The set of objects that this process has hashed, with the properties of their
 * files at that time. The set only grows. A zeroed struct is empty. */

#include <sys/stat.h>

#include "lib/hash.h"

struct mkv_verified_entry;
struct mkv_verified {
	struct mkv_verified_entry *slots; /* open addressing */
	size_t n_slots, count;
};

void mkv_verified_done(struct mkv_verified *set) mkv_nonnull(1);
bool mkv_verified_has(const struct mkv_verified *set,
		      const struct mkv_sha256 *sha256, const struct stat *st)
	mkv_nonnull(1, 2, 3);
/* Running out of memory is not an error: the object is then hashed again. */
void mkv_verified_put(struct mkv_verified *set, const struct mkv_sha256 *sha256,
		      const struct stat *st) mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Which objects this process has hashed already, and what their files looked
 * like then: a set that only grows. A zeroed struct is empty. */

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
/* Out of memory is no error: the object is hashed again next time. */
void mkv_verified_put(struct mkv_verified *set, const struct mkv_sha256 *sha256,
		      const struct stat *st) mkv_nonnull(1, 2, 3);

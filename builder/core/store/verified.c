/* SPDX-License-Identifier: MIT */
#include "builder/core/store/verified.h"

#include <string.h>

struct mkv_verified_entry {
	bool used;
	struct mkv_sha256 sha256;
	dev_t device;
	ino_t inode;
	off_t size_bytes;
	struct timespec mtime;
};

void mkv_verified_done(struct mkv_verified *set)
{
	free(set->slots);
	*set = (struct mkv_verified){0};
}

/* The slot of a digest, or the free slot for it. The digest's first bytes serve
 * as its hash. */
static struct mkv_verified_entry *slot_of(const struct mkv_verified *set,
					  const struct mkv_sha256 *sha256)
{
	size_t at;
	memcpy(&at, sha256->bytes, sizeof(at));
	for (at &= set->n_slots - 1; set->slots[at].used;
	     at = (at + 1) & (set->n_slots - 1))
		if (mkv_sha256_equal(&set->slots[at].sha256, sha256))
			break;
	return &set->slots[at];
}

static bool grow_slots(struct mkv_verified *set)
{
	struct mkv_verified bigger = {
		.n_slots = set->n_slots ? set->n_slots * 2 : 64,
		.count = set->count,
	};
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < set->n_slots; i++)
		if (set->slots[i].used)
			*slot_of(&bigger, &set->slots[i].sha256) =
				set->slots[i];
	free(set->slots);
	*set = bigger;
	return true;
}

bool mkv_verified_has(const struct mkv_verified *set,
		      const struct mkv_sha256 *sha256, const struct stat *st)
{
	if (!set->n_slots)
		return false;
	const struct mkv_verified_entry *entry = slot_of(set, sha256);
	return entry->used && entry->device == st->st_dev &&
	       entry->inode == st->st_ino && entry->size_bytes == st->st_size &&
	       entry->mtime.tv_sec == st->st_mtim.tv_sec &&
	       entry->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

void mkv_verified_put(struct mkv_verified *set, const struct mkv_sha256 *sha256,
		      const struct stat *st)
{
	if (set->count * 2 >= set->n_slots && !grow_slots(set))
		return;
	struct mkv_verified_entry *entry = slot_of(set, sha256);
	if (!entry->used)
		set->count++;
	*entry = (struct mkv_verified_entry){
		.used = true,
		.sha256 = *sha256,
		.device = st->st_dev,
		.inode = st->st_ino,
		.size_bytes = st->st_size,
		.mtime = st->st_mtim,
	};
}

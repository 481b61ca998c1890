/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit_bundle/idset.h"

#include <stdlib.h>

/* FNV-1a with a final mix (MurmurHash3's). Never 0. */
static uint64_t hash_id(const void *id, size_t size)
{
	const uint8_t *bytes = id;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	return hash ? hash : 1;
}

void mkv_idset_done(struct mkv_idset *set)
{
	free(set->slots);
	*set = (struct mkv_idset){0};
}

/* The slot of a hash, or the free slot where it belongs. */
static size_t find_slot(const struct mkv_idset *set, uint64_t hash)
{
	size_t at = (size_t)hash & (set->n_slots - 1);
	while (set->slots[at] && set->slots[at] != hash)
		at = (at + 1) & (set->n_slots - 1);
	return at;
}

static bool grow(struct mkv_idset *set)
{
	struct mkv_idset more = {.n_slots = set->n_slots ? 2 * set->n_slots
							 : 1024};
	more.slots = calloc(more.n_slots, sizeof(*more.slots));
	if (!more.slots)
		return false;
	for (size_t i = 0; i < set->n_slots; i++)
		if (set->slots[i])
			more.slots[find_slot(&more, set->slots[i])] =
				set->slots[i];
	more.count = set->count;
	free(set->slots);
	*set = more;
	return true;
}

bool mkv_idset_add(struct mkv_idset *set, const void *id, size_t size)
{
	if (2 * set->count >= set->n_slots && !grow(set))
		return false;
	uint64_t hash = hash_id(id, size);
	size_t at = find_slot(set, hash);
	set->count += set->slots[at] == 0;
	set->slots[at] = hash;
	return true;
}

bool mkv_idset_has(const struct mkv_idset *set, const void *id, size_t size)
{
	return set->n_slots &&
	       set->slots[find_slot(set, hash_id(id, size))] != 0;
}

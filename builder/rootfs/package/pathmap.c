/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/package/pathmap.h"

#include <stdint.h>
#include <string.h>

void mkv_pathmap_done(struct mkv_pathmap *map)
{
	free(map->slots);
	*map = (struct mkv_pathmap){0};
}

/* FNV-1a. No output depends on the order of slots, and the limits of untar.h
 * bound the cost of crafted collisions. */
static uint64_t hash_key(const char *key, size_t length)
{
	uint64_t value = 14695981039346656037u;
	for (size_t i = 0; i < length; i++)
		value = (value ^ (uint8_t)key[i]) * 1099511628211u;
	return value ^ value >> 29;
}

static struct mkv_pathmap_slot *find_slot(const struct mkv_pathmap *map,
					  const char *key, size_t length)
{
	size_t at = (size_t)hash_key(key, length) & (map->n_slots - 1);
	for (;; at = (at + 1) & (map->n_slots - 1)) {
		struct mkv_pathmap_slot *slot = &map->slots[at];
		if (!slot->key || (slot->length == length &&
				   memcmp(slot->key, key, length) == 0))
			return slot;
	}
}

size_t *mkv_pathmap_get(const struct mkv_pathmap *map, const char *key,
			size_t length)
{
	if (!map->n_slots)
		return NULL;
	struct mkv_pathmap_slot *slot = find_slot(map, key, length);
	return slot->key ? &slot->value : NULL;
}

static int grow_slots(struct mkv_pathmap *map, struct mkv_error *err)
{
	struct mkv_pathmap larger = {
		.n_slots = map->n_slots ? map->n_slots * 2 : 256,
		.count = map->count,
	};
	larger.slots = calloc(larger.n_slots, sizeof(*larger.slots));
	if (!larger.slots)
		return mkv_oom(err);
	for (size_t i = 0; i < map->n_slots; i++)
		if (map->slots[i].key)
			*find_slot(&larger, map->slots[i].key,
				   map->slots[i].length) = map->slots[i];
	free(map->slots);
	*map = larger;
	return 0;
}

int mkv_pathmap_set(struct mkv_pathmap *map, const char *key, size_t length,
		    size_t value, struct mkv_error *err)
{
	if ((map->count + 1) * 2 > map->n_slots) {
		int rc = grow_slots(map, err);
		if (rc < 0)
			return rc;
	}
	struct mkv_pathmap_slot *slot = find_slot(map, key, length);
	map->count += !slot->key;
	*slot = (struct mkv_pathmap_slot){key, length, value};
	return 0;
}

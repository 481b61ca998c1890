/* SPDX-License-Identifier: MIT */
#pragma once
/* A map from paths to numbers. Keys are borrowed and must outlive the map. A
 * zeroed struct is an empty map. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct mkv_pathmap_slot {
	const char *key;
	size_t length;
	size_t value;
};

struct mkv_pathmap {
	struct mkv_pathmap_slot *slots;
	size_t n_slots; /* a power of two, or 0 */
	size_t count;
};

void mkv_pathmap_done(struct mkv_pathmap *map) mkv_nonnull(1);
/* A pointer to the value, NULL for an unknown key. The next addition
 * invalidates it. */
size_t *mkv_pathmap_get(const struct mkv_pathmap *map, const char *key,
			size_t length) mkv_nonnull(1, 2);
/* Adds a key or replaces its value. */
int mkv_pathmap_set(struct mkv_pathmap *map, const char *key, size_t length,
		    size_t value, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 5);

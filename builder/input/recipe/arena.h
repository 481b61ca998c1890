/* SPDX-License-Identifier: MIT */
#pragma once
/* An arena: allocations that are released together. Holds the trees of one
 * load. */

#include <stddef.h>

#include "lib/auto.h"

struct mkv_chunk;
struct mkv_arena {
	struct mkv_chunk *newest;
	bool failed; /* an allocation failed: discard the result of the load */
};

/* Zeroed memory, aligned for any type and owned by the arena. Returns NULL and
 * sets `failed` when out of memory, as do the functions below. */
void *mkv_arena_take(struct mkv_arena *arena, size_t size) mkv_nonnull(1);
/* A NUL-terminated copy of `length` bytes. */
char *mkv_arena_text(struct mkv_arena *arena, const char *text, size_t length)
	mkv_nonnull(1, 2);
char *mkv_arena_printf(struct mkv_arena *arena, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
void mkv_arena_done(struct mkv_arena *arena) mkv_nonnull(1);

/* SPDX-License-Identifier: MIT */
#include "builder/input/recipe/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

enum { CHUNK_SIZE = 16384 };

struct mkv_chunk {
	struct mkv_chunk *older;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
};

static struct mkv_chunk *add_chunk(struct mkv_arena *arena, size_t size)
{
	size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	struct mkv_chunk *chunk = calloc(1, sizeof(*chunk) + room);
	if (!chunk) {
		arena->failed = true;
		return NULL;
	}
	chunk->size = room;
	chunk->older = arena->newest;
	arena->newest = chunk;
	return chunk;
}

void *mkv_arena_take(struct mkv_arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	if (size > SIZE_MAX / 2) {
		arena->failed = true;
		return NULL;
	}
	size = (size + align - 1) / align * align;
	struct mkv_chunk *chunk = arena->newest;
	if (!chunk || chunk->size - chunk->used < size)
		chunk = add_chunk(arena, size);
	if (!chunk)
		return NULL;
	void *at = chunk->bytes + chunk->used;
	chunk->used += size;
	return at;
}

char *mkv_arena_text(struct mkv_arena *arena, const char *text, size_t length)
{
	char *copy = mkv_arena_take(arena, length + 1);
	if (copy)
		memcpy(copy, text, length);
	return copy;
}

char *mkv_arena_printf(struct mkv_arena *arena, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int length = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	char *text = NULL;
	if (length < 0)
		arena->failed = true;
	else
		text = mkv_arena_take(arena, (size_t)length + 1);
	if (text)
		(void)vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

void mkv_arena_done(struct mkv_arena *arena)
{
	while (arena->newest) {
		struct mkv_chunk *chunk = arena->newest;
		arena->newest = chunk->older;
		free(chunk);
	}
}

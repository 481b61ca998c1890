/* SPDX-License-Identifier: MIT */
#pragma once
/* Suggestions for mistyped words, and sizes as text. */

#include <stddef.h>
#include <stdint.h>

/* The candidate nearest to a mistyped word (edit distance with transpositions,
 * at most a third of its length), or NULL. Borrowed from `candidates`. */
const char *mkv_nearest(const char *word, const char *const *candidates,
			size_t count);

/* "512 B", "84.1 MB", "1.2 GB" (powers of 1000) into a buffer of 16. */
void mkv_size_text(uint64_t size_bytes, char ret[static 16]);

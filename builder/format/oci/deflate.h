/* SPDX-License-Identifier: MIT */
#pragma once
/* One deflate block (RFC 1951) at a time. */

#include "lib/buf.h"

/* Bits that wait for a whole byte, least significant first (section 3.1.1). */
struct mkv_bits {
	struct mkv_buf *out;
	uint64_t waiting;
	unsigned count;
};

struct mkv_deflater; /* tables of one block; reused for the next */
struct mkv_deflater *mkv_deflater_new(void) mkv_must_check;
void mkv_deflater_free(struct mkv_deflater *deflater);
MKV_DEFINE_AUTO(deflater, struct mkv_deflater *, mkv_deflater_free)
#define auto_deflater mkv_auto(deflater)

/* Appends a block (or, where it would grow, stored ones) for at most
 * MKV_GZIP_CHUNK bytes; `last` marks the final one. The output's own failure
 * shows in its buffer. */
void mkv_deflate_block(struct mkv_deflater *deflater, struct mkv_bits *bits,
		       const uint8_t *data, size_t size, bool last)
	mkv_nonnull(1, 2);
void mkv_deflate_stored(struct mkv_bits *bits, const uint8_t *data, size_t size,
			bool last) mkv_nonnull(1);
/* Fills the last byte with zero bits. */
void mkv_bits_flush(struct mkv_bits *bits) mkv_nonnull(1);

/* Code lengths, at most `limit`, of a prefix code for these frequencies (by
 * Huffman's algorithm, then shortened to the limit); 0 for what doesn't occur.
 * Ties go by symbol. At most 288 symbols. */
void mkv_huffman_lengths(const uint32_t *frequencies, unsigned count,
			 unsigned limit, uint8_t *ret) mkv_nonnull(1, 4);

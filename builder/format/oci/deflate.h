/* SPDX-License-Identifier: MIT */
#pragma once
/* Compresses one deflate block (RFC 1951) at a time. */

#include "lib/buf.h"

/* Output whose last bits do not fill a byte yet, least significant bit first
 * (section 3.1.1). */
struct mkv_bits {
	struct mkv_buf *out;
	uint64_t waiting;
	unsigned count;
};

struct mkv_deflater; /* the tables of one block; the next block reuses them */
struct mkv_deflater *mkv_deflater_new(void) mkv_must_check;
void mkv_deflater_free(struct mkv_deflater *deflater);
MKV_DEFINE_AUTO(deflater, struct mkv_deflater *, mkv_deflater_free)
#define auto_deflater mkv_auto(deflater)

/* Appends a block for at most MKV_GZIP_CHUNK bytes, or stored blocks where
 * compression would make them larger. `last`: the final block of the stream.
 * Running out of memory is recorded in the output buffer. */
void mkv_deflate_block(struct mkv_deflater *deflater, struct mkv_bits *bits,
		       const uint8_t *data, size_t size, bool last)
	mkv_nonnull(1, 2);
void mkv_deflate_stored(struct mkv_bits *bits, const uint8_t *data, size_t size,
			bool last) mkv_nonnull(1);
/* Pads the last byte with zero bits. */
void mkv_bits_flush(struct mkv_bits *bits) mkv_nonnull(1);

/* Code lengths, at most `limit`, of a prefix code for at most 288 symbols with
 * these frequencies: Huffman's algorithm, then codes longer than the limit are
 * shortened. A symbol of frequency 0 has length 0. Equal frequencies are
 * ordered by symbol. */
void mkv_huffman_lengths(const uint32_t *frequencies, unsigned count,
			 unsigned limit, uint8_t *ret) mkv_nonnull(1, 4);

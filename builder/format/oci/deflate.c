/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/deflate.h"

#include <string.h>

#include "builder/format/oci/gzip.h"
#include "lib/bytes.h"

enum {
	HASH_BITS = 15,
	WINDOW = 32768,
	MATCH_MIN = 4,
	MATCH_MAX = 258,
	STORED_MAX = 65535,
	LITERALS = 286,
	DISTANCES = 30,
	LENGTH_CODES = 19,
	END_OF_BLOCK = 256,
};

/* Length 0: a literal, whose byte is in `distance`. */
struct token {
	uint16_t length, distance;
};

struct code {
	uint8_t length[LITERALS];
	uint16_t bits[LITERALS]; /* reversed, in the order of the stream */
};

struct mkv_deflater {
	uint32_t heads[1 << HASH_BITS]; /* position + 1 of a hash's last use */
	struct token tokens[MKV_GZIP_CHUNK];
	size_t n_tokens;
	uint32_t literal_use[LITERALS], distance_use[DISTANCES];
	struct code literals, distances;
};

struct mkv_deflater *mkv_deflater_new(void)
{
	return calloc(1, sizeof(struct mkv_deflater));
}

void mkv_deflater_free(struct mkv_deflater *deflater)
{
	free(deflater);
}

static void put_bits(struct mkv_bits *bits, uint32_t value, unsigned count)
{
	bits->waiting |= (uint64_t)value << bits->count;
	bits->count += count;
	if (bits->count < 32)
		return;
	uint8_t bytes[4];
	mkv_le_put32(bytes, (uint32_t)bits->waiting);
	mkv_buf_add(bits->out, bytes, sizeof(bytes));
	bits->waiting >>= 32;
	bits->count -= 32;
}

void mkv_bits_flush(struct mkv_bits *bits)
{
	while (bits->count > 0) {
		mkv_buf_char(bits->out, (char)(bits->waiting & 0xff));
		bits->waiting >>= 8;
		bits->count = bits->count < 8 ? 0 : bits->count - 8;
	}
	bits->waiting = 0;
}

void mkv_deflate_stored(struct mkv_bits *bits, const uint8_t *data, size_t size,
			bool last)
{
	do {
		size_t part = size < STORED_MAX ? size : STORED_MAX;
		put_bits(bits, last && part == size, 3);
		mkv_bits_flush(bits);
		uint8_t head[4];
		mkv_le_put16(head, (uint16_t)part);
		mkv_le_put16(head + 2, (uint16_t)~part);
		mkv_buf_add(bits->out, head, sizeof(head));
		mkv_buf_add(bits->out, data, part);
		data += part;
		size -= part;
	} while (size > 0);
}

/* The symbol of a match's length or distance, and the number of extra bits
 * behind it (section 3.2.5). */
static unsigned length_symbol(unsigned length, unsigned *ret_extra)
{
	unsigned rest = length - 3;
	*ret_extra = 0;
	if (length == MATCH_MAX)
		return 285;
	if (rest < 8)
		return 257 + rest;
	unsigned top = 31 - (unsigned)__builtin_clz(rest);
	*ret_extra = top - 2;
	return 257 + 4 * (top - 1) + ((rest >> (top - 2)) & 3);
}

static unsigned distance_symbol(unsigned distance, unsigned *ret_extra)
{
	unsigned rest = distance - 1;
	*ret_extra = 0;
	if (rest < 4)
		return rest;
	unsigned top = 31 - (unsigned)__builtin_clz(rest);
	*ret_extra = top - 1;
	return 2 * top + ((rest >> (top - 1)) & 1);
}

static void add_token(struct mkv_deflater *deflater, unsigned length,
		      unsigned distance)
{
	unsigned extra;
	deflater->tokens[deflater->n_tokens++] =
		(struct token){(uint16_t)length, (uint16_t)distance};
	if (length == 0) {
		deflater->literal_use[distance]++;
		return;
	}
	deflater->literal_use[length_symbol(length, &extra)]++;
	deflater->distance_use[distance_symbol(distance, &extra)]++;
}

static unsigned match_length(const uint8_t *a, const uint8_t *b, size_t limit)
{
	unsigned length = 0;
	while (length < limit && a[length] == b[length])
		length++;
	return length;
}

/* Greedy: a match at the last position with equal four bytes, else a literal.
 */
static void find_tokens(struct mkv_deflater *deflater, const uint8_t *data,
			size_t size)
{
	memset(deflater->heads, 0, sizeof(deflater->heads));
	memset(deflater->literal_use, 0, sizeof(deflater->literal_use));
	memset(deflater->distance_use, 0, sizeof(deflater->distance_use));
	deflater->n_tokens = 0;
	size_t at = 0;
	while (at + MATCH_MIN <= size) {
		uint32_t word = mkv_le_get32(data + at);
		uint32_t *head = &deflater->heads[(word * 2654435761U) >>
						  (32 - HASH_BITS)];
		size_t last = *head;
		*head = (uint32_t)at + 1;
		if (last == 0 || at - (last - 1) > WINDOW ||
		    mkv_le_get32(data + last - 1) != word) {
			add_token(deflater, 0, data[at++]);
			continue;
		}
		size_t limit = size - at < MATCH_MAX ? size - at : MATCH_MAX;
		unsigned length =
			match_length(data + at, data + last - 1, limit);
		add_token(deflater, length, (unsigned)(at - (last - 1)));
		at += length;
	}
	while (at < size)
		add_token(deflater, 0, data[at++]);
	deflater->literal_use[END_OF_BLOCK] = 1;
}

/* Canonical codes from their lengths (section 3.2.2), bits reversed. */
static void assign_codes(struct code *code, unsigned count)
{
	unsigned per_length[16] = {0}, next[16] = {0};
	for (unsigned i = 0; i < count; i++)
		per_length[code->length[i]]++;
	per_length[0] = 0;
	for (unsigned i = 1; i < 16; i++)
		next[i] = (next[i - 1] + per_length[i - 1]) << 1;
	for (unsigned i = 0; i < count; i++) {
		unsigned length = code->length[i], value = next[length]++;
		unsigned reversed = 0;
		for (unsigned bit = 0; bit < length; bit++)
			reversed |= ((value >> bit) & 1) << (length - 1 - bit);
		code->bits[i] = (uint16_t)reversed;
	}
}

/* The number of lengths without the zeros at the end, at least `min`. */
static unsigned count_lengths(const uint8_t *lengths, unsigned count,
			      unsigned min)
{
	while (count > min && lengths[count - 1] == 0)
		count--;
	return count;
}

/* The block's header (section 3.2.7): the lengths of both codes, compressed by
 * a third code in which symbols 17 and 18 are runs of zeros. */
static void send_codes(struct mkv_bits *bits,
		       const struct mkv_deflater *deflater)
{
	static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0,  8, 7,  9,
						    6,	10, 5,	11, 4, 12, 3,
						    13, 2,  14, 1,  15};
	unsigned n_literals =
		count_lengths(deflater->literals.length, LITERALS, 257);
	unsigned n_distances =
		count_lengths(deflater->distances.length, DISTANCES, 1);
	uint8_t lengths[LITERALS + DISTANCES], symbols[LITERALS + DISTANCES];
	uint8_t extras[LITERALS + DISTANCES];
	memcpy(lengths, deflater->literals.length, n_literals);
	memcpy(lengths + n_literals, deflater->distances.length, n_distances);
	unsigned total = n_literals + n_distances, n = 0;
	uint32_t use[LENGTH_CODES] = {0};
	for (unsigned i = 0; i < total; n++) {
		unsigned run = 0;
		while (i + run < total && lengths[i + run] == 0 && run < 138)
			run++;
		symbols[n] = run >= 11 ? 18 : run >= 3 ? 17 : lengths[i];
		extras[n] = (uint8_t)(run >= 11 ? run - 11 : run - 3);
		i += run >= 3 ? run : 1;
		use[symbols[n]]++;
	}
	struct code code = {0};
	mkv_huffman_lengths(use, LENGTH_CODES, 7, code.length);
	assign_codes(&code, LENGTH_CODES);
	unsigned n_codes = LENGTH_CODES;
	while (n_codes > 4 && code.length[order[n_codes - 1]] == 0)
		n_codes--;
	put_bits(bits, n_literals - 257, 5);
	put_bits(bits, n_distances - 1, 5);
	put_bits(bits, n_codes - 4, 4);
	for (unsigned i = 0; i < n_codes; i++)
		put_bits(bits, code.length[order[i]], 3);
	for (unsigned i = 0; i < n; i++) {
		put_bits(bits, code.bits[symbols[i]], code.length[symbols[i]]);
		if (symbols[i] >= 17)
			put_bits(bits, extras[i], symbols[i] == 18 ? 7 : 3);
	}
}

static void send_tokens(struct mkv_bits *bits,
			const struct mkv_deflater *deflater)
{
	const struct code *literals = &deflater->literals;
	const struct code *distances = &deflater->distances;
	for (size_t i = 0; i < deflater->n_tokens; i++) {
		struct token token = deflater->tokens[i];
		unsigned extra;
		if (token.length == 0) {
			put_bits(bits, literals->bits[token.distance],
				 literals->length[token.distance]);
			continue;
		}
		unsigned symbol = length_symbol(token.length, &extra);
		put_bits(bits, literals->bits[symbol],
			 literals->length[symbol]);
		put_bits(bits, (token.length - 3U) & ((1U << extra) - 1),
			 extra);
		symbol = distance_symbol(token.distance, &extra);
		put_bits(bits, distances->bits[symbol],
			 distances->length[symbol]);
		put_bits(bits, (token.distance - 1U) & ((1U << extra) - 1),
			 extra);
	}
	put_bits(bits, literals->bits[END_OF_BLOCK],
		 literals->length[END_OF_BLOCK]);
}

void mkv_deflate_block(struct mkv_deflater *deflater, struct mkv_bits *bits,
		       const uint8_t *data, size_t size, bool last)
{
	find_tokens(deflater, data, size);
	mkv_huffman_lengths(deflater->literal_use, LITERALS, 15,
			    deflater->literals.length);
	mkv_huffman_lengths(deflater->distance_use, DISTANCES, 15,
			    deflater->distances.length);
	assign_codes(&deflater->literals, LITERALS);
	assign_codes(&deflater->distances, DISTANCES);
	struct mkv_bits before = *bits;
	size_t start = bits->out->size;
	put_bits(bits, last ? 1 : 0, 1);
	put_bits(bits, 2, 2);
	send_codes(bits, deflater);
	send_tokens(bits, deflater);
	if (bits->out->size - start <= size)
		return;
	*bits = before;
	bits->out->size = start;
	mkv_deflate_stored(bits, data, size, last);
}

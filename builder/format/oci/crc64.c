/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/tar_split.h"

/* Slicing by 8: each step takes eight bytes. table[k] holds the CRC of a byte
 * followed by k zeros. */
static uint64_t table[8][256];
static bool ready;

/* Threads that race here write equal values. */
static void fill_table(void)
{
	const uint64_t polynomial = 0xd800000000000000; /* reversed */
	for (unsigned i = 0; i < 256; i++) {
		uint64_t crc = i;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
		table[0][i] = crc;
	}
	for (unsigned i = 0; i < 256; i++)
		for (unsigned k = 1; k < 8; k++)
			table[k][i] = table[0][table[k - 1][i] & 0xff] ^
				      table[k - 1][i] >> 8;
	__atomic_store_n(&ready, true, __ATOMIC_RELEASE);
}

uint64_t mkv_crc64(uint64_t crc, const void *data, size_t size)
{
	if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
		fill_table();
	const uint8_t *at = data;
	crc = ~crc;
	for (; size >= 8; size -= 8, at += 8) {
		uint64_t word = 0;
		for (unsigned i = 0; i < 8; i++)
			word |= (uint64_t)at[i] << (8 * i);
		word ^= crc;
		crc = 0;
		for (unsigned i = 0; i < 8; i++)
			crc ^= table[7 - i][word >> (8 * i) & 0xff];
	}
	for (; size > 0; size--, at++)
		crc = table[0][(crc ^ *at) & 0xff] ^ crc >> 8;
	return ~crc;
}

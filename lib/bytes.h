/* SPDX-License-Identifier: MIT */
#pragma once
/* Integers in byte arrays, at any alignment: mkv_le_* little-endian, mkv_be_*
 * big-endian (network byte order). */

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void mkv_le_put16(uint8_t *to, uint16_t value)
{
	value = htole16(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint16_t mkv_le_get16(const uint8_t *from)
{
	uint16_t value;
	memcpy(&value, from, sizeof(value));
	return le16toh(value);
}

static inline void mkv_le_put32(uint8_t *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint32_t mkv_le_get32(const uint8_t *from)
{
	uint32_t value;
	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static inline void mkv_le_put64(uint8_t *to, uint64_t value)
{
	value = htole64(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint64_t mkv_le_get64(const uint8_t *from)
{
	uint64_t value;
	memcpy(&value, from, sizeof(value));
	return le64toh(value);
}

static inline void mkv_be_put16(uint8_t *to, uint16_t value)
{
	value = htobe16(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint16_t mkv_be_get16(const uint8_t *from)
{
	uint16_t value;
	memcpy(&value, from, sizeof(value));
	return be16toh(value);
}

static inline void mkv_be_put32(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint32_t mkv_be_get32(const uint8_t *from)
{
	uint32_t value;
	memcpy(&value, from, sizeof(value));
	return be32toh(value);
}

static inline void mkv_be_put64(uint8_t *to, uint64_t value)
{
	value = htobe64(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint64_t mkv_be_get64(const uint8_t *from)
{
	uint64_t value;
	memcpy(&value, from, sizeof(value));
	return be64toh(value);
}

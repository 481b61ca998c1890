/* SPDX-License-Identifier: MIT */
#include "programs/boot/initramfs/probe.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/auto.h"
#include "lib/bytes.h"

enum {
	SUPERBLOCK_AT = 1024,
	SUPERBLOCK_BYTES = 264,
	EXT_MAGIC_AT = 56,
	EXT_UUID_AT = 104,
	EXT_LABEL_AT = 120,
	GPT_HEADER_BYTES = 92,
	GPT_ENTRY_MIN = 128,
	GPT_ARRAY_MAX = 1 << 20,
};

static bool read_at(int fd, void *into, size_t size, uint64_t offset)
{
	if (offset > INT64_MAX - size)
		return false;
	return pread(fd, into, size, (off_t)offset) == (ssize_t)size;
}

static void uuid_text(const uint8_t uuid[16], char ret[PROBE_UUID_SIZE])
{
	size_t used = 0;
	for (int i = 0; i < 16; i++) {
		bool dash = i == 4 || i == 6 || i == 8 || i == 10;
		(void)snprintf(ret + used, PROBE_UUID_SIZE - used, "%s%02x",
			       dash ? "-" : "", uuid[i]);
		used += dash ? 3 : 2;
	}
}

bool probe_ext4(int fd, struct probe_fs *ret)
{
	uint8_t block[SUPERBLOCK_BYTES];
	if (!read_at(fd, block, sizeof(block), SUPERBLOCK_AT) ||
	    block[EXT_MAGIC_AT] != 0x53 || block[EXT_MAGIC_AT + 1] != 0xef)
		return false;
	uuid_text(block + EXT_UUID_AT, ret->uuid);
	memcpy(ret->label, block + EXT_LABEL_AT, PROBE_LABEL_SIZE - 1);
	ret->label[PROBE_LABEL_SIZE - 1] = '\0';
	for (char *c = ret->label; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return true;
}

static uint32_t crc32_of(const uint8_t *data, size_t size)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

static bool is_valid_header(uint8_t header[GPT_HEADER_BYTES])
{
	if (memcmp(header, "EFI PART", 8) != 0 ||
	    mkv_le_get32(header + 12) != GPT_HEADER_BYTES)
		return false;
	uint32_t sum = mkv_le_get32(header + 16);
	memset(header + 16, 0, 4);
	return crc32_of(header, GPT_HEADER_BYTES) == sum;
}

bool probe_gpt(int fd, unsigned sector_bytes, unsigned number,
	       char ret[PROBE_UUID_SIZE])
{
	static const uint8_t unused[16];
	static const uint8_t order[16] = {3, 2, 1,  0,	5,  4,	7,  6,
					  8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t header[GPT_HEADER_BYTES];
	if (sector_bytes < 512 || sector_bytes > 65536 || number == 0 ||
	    !read_at(fd, header, sizeof(header), sector_bytes) ||
	    !is_valid_header(header))
		return false;
	uint64_t count = mkv_le_get32(header + 80),
		 each = mkv_le_get32(header + 84);
	if (each < GPT_ENTRY_MIN || count == 0 || number > count ||
	    count > GPT_ARRAY_MAX / each ||
	    mkv_le_get64(header + 72) > INT64_MAX / sector_bytes)
		return false;
	size_t size = (size_t)(count * each);
	auto_free uint8_t *array = malloc(size);
	if (!array ||
	    !read_at(fd, array, size,
		     mkv_le_get64(header + 72) * sector_bytes) ||
	    crc32_of(array, size) != mkv_le_get32(header + 88))
		return false;
	const uint8_t *entry = array + (number - 1) * each;
	if (memcmp(entry, unused, 16) == 0)
		return false;
	uint8_t uuid[16];
	for (int i = 0; i < 16; i++)
		uuid[i] = entry[16 + order[i]];
	uuid_text(uuid, ret);
	return true;
}

/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit/uki.h"

#include <stdint.h>
#include <string.h>

enum { SECTION_HEADER = 40, SECTIONS_MAX = 96 };

static uint32_t get(const char *at, unsigned bytes)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)(uint8_t)at[i] << 8 * i;
	return value;
}

static int malformed(struct mkv_error *err)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
			"isn't a PE executable with whole sections");
}

int mkv_audit_uki_section(const char *image, size_t size, const char *name,
			  struct mkv_audit_section *ret, struct mkv_error *err)
{
	char padded[8] = {0};
	memcpy(padded, name, strnlen(name, sizeof(padded)));
	if (size < 64 || memcmp(image, "MZ", 2) != 0)
		return malformed(err);
	uint64_t pe = get(image + 0x3c, 4);
	if (pe + 24 > size || memcmp(image + pe, "PE\0\0", 4) != 0)
		return malformed(err);
	uint32_t count = get(image + pe + 6, 2);
	uint64_t table = pe + 24 + get(image + pe + 20, 2);
	if (count > SECTIONS_MAX ||
	    table + (uint64_t)count * SECTION_HEADER > size)
		return malformed(err);
	*ret = (struct mkv_audit_section){0};
	for (uint32_t i = 0; i < count; i++) {
		const char *header = image + table + i * SECTION_HEADER;
		uint64_t used = get(header + 8, 4), raw = get(header + 16, 4);
		uint64_t offset = get(header + 20, 4);
		if (memcmp(header, padded, sizeof(padded)) != 0)
			continue;
		if (offset > size || raw > size - offset || ret->data)
			return malformed(err);
		ret->data = image + offset;
		ret->size = (size_t)(used < raw ? used : raw);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit/uki.h"

#include <string.h>

#include "lib/bytes.h"

enum { SECTION_HEADER = 40, SECTIONS_MAX = 96 };

static int malformed(struct mkv_error *err)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
			"isn't a PE executable with complete sections");
}

int mkv_audit_uki_section(const char *image, size_t size, const char *name,
			  struct mkv_audit_section *ret, struct mkv_error *err)
{
	char padded[8] = {0};
	memcpy(padded, name, strnlen(name, sizeof(padded)));
	const uint8_t *bytes = (const uint8_t *)image;
	if (size < 64 || memcmp(image, "MZ", 2) != 0)
		return malformed(err);
	uint64_t pe = mkv_le_get32(bytes + 0x3c);
	if (pe + 24 > size || memcmp(image + pe, "PE\0\0", 4) != 0)
		return malformed(err);
	uint32_t count = mkv_le_get16(bytes + pe + 6);
	uint64_t table = pe + 24 + mkv_le_get16(bytes + pe + 20);
	if (count > SECTIONS_MAX ||
	    table + (uint64_t)count * SECTION_HEADER > size)
		return malformed(err);
	*ret = (struct mkv_audit_section){0};
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *header = bytes + table + i * SECTION_HEADER;
		uint64_t used = mkv_le_get32(header + 8);
		uint64_t raw = mkv_le_get32(header + 16);
		uint64_t offset = mkv_le_get32(header + 20);
		if (memcmp(header, padded, sizeof(padded)) != 0)
			continue;
		if (offset > size || raw > size - offset || ret->data)
			return malformed(err);
		ret->data = image + offset;
		ret->size = (size_t)(used < raw ? used : raw);
	}
	return 0;
}

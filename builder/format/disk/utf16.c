/* SPDX-License-Identifier: MIT */
#include "builder/format/disk/utf16.h"

/* Decodes one code point and advances *at. -EILSEQ for overlong forms,
 * surrogates, code points beyond U+10FFFF and broken sequences. */
static int32_t decode_point(const uint8_t **at)
{
	static const uint32_t min[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t lead = *(*at)++;
	if (lead < 0x80)
		return lead;
	unsigned length = lead >= 0xf0 && lead < 0xf8	? 4
			  : lead >= 0xe0 && lead < 0xf0 ? 3
			  : lead >= 0xc0 && lead < 0xe0 ? 2
							: 0;
	if (!length)
		return -EILSEQ;
	uint32_t point = lead & (0x7fU >> length);
	for (unsigned i = 1; i < length; i++) {
		if ((**at & 0xc0) != 0x80) /* also at the final NUL */
			return -EILSEQ;
		point = point << 6 | (*(*at)++ & 0x3f);
	}
	if (point < min[length] || point > 0x10ffff ||
	    (point >= 0xd800 && point < 0xe000))
		return -EILSEQ;
	return (int32_t)point;
}

int mkv_utf16_from_utf8(const char *text, uint16_t *ret, size_t max)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t count = 0;
	while (*at) {
		int32_t point = decode_point(&at);
		if (point < 0)
			return point;
		size_t units = point >= 0x10000 ? 2 : 1;
		if (units > max - count)
			return -ENAMETOOLONG;
		if (units == 2) {
			point -= 0x10000;
			ret[count++] = (uint16_t)(0xd800 | point >> 10);
			ret[count++] = (uint16_t)(0xdc00 | (point & 0x3ff));
		} else {
			ret[count++] = (uint16_t)point;
		}
	}
	return (int)count;
}

/* SPDX-License-Identifier: MIT */
#include "lib/cputext.h"

#include <stdint.h>
#include <string.h>

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Decodes an escape at `at`, of which `left` characters remain; -1: no escape.
 */
static int escaped(const char *at, size_t left)
{
	if (left < 4 || at[0] != '\\' || at[1] != 'x')
		return -1;
	int high = digit(at[2]), low = digit(at[3]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

void mkv_cputext_write(const void *bytes, size_t size,
		       char ret[static MKV_CPUTEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	const char *from = bytes;
	size_t used = 0;
	if (size > MKV_CPUTEXT_BYTES_MAX)
		size = MKV_CPUTEXT_BYTES_MAX;
	while (size && from[size - 1] == '\0')
		size--;
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)from[i];
		bool plain = byte >= ' ' && byte <= '~' &&
			     escaped(from + i, size - i) < 0;
		const char text[] = {'\\', 'x', digits[byte >> 4],
				     digits[byte & 15]};
		memcpy(ret + used, plain ? from + i : text, plain ? 1 : 4);
		used += plain ? 1 : 4;
	}
	ret[used] = '\0';
}

size_t mkv_cputext_read(const char *text, void *ret, size_t room)
{
	size_t count = 0;
	uint8_t *to = ret;
	for (size_t left = strlen(text); left; count++) {
		int byte = escaped(text, left);
		size_t length = byte < 0 ? 1 : 4;
		if (count < room)
			to[count] = byte < 0 ? (uint8_t)*text : (uint8_t)byte;
		text += length;
		left -= length;
	}
	return count;
}

bool mkv_cputext_normalise(const char *text, char ret[static MKV_CPUTEXT_SIZE])
{
	char bytes[MKV_CPUTEXT_BYTES_MAX];
	size_t count = mkv_cputext_read(text, bytes, sizeof(bytes));
	if (count > sizeof(bytes))
		return false;
	mkv_cputext_write(bytes, count, ret);
	return true;
}

bool mkv_cputext_is_shown(const char *text, const char *shown)
{
	char bytes[MKV_CPUTEXT_BYTES_MAX + 1];
	size_t count = mkv_cputext_read(text, bytes, MKV_CPUTEXT_BYTES_MAX);
	if (count > MKV_CPUTEXT_BYTES_MAX)
		return false;
	bytes[count] = '\0';
	return !*bytes || strcmp(bytes + strspn(bytes, " "), shown) == 0;
}

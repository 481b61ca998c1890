/* SPDX-License-Identifier: MIT */
#include "lib/utf8.h"

#include <stdint.h>
#include <string.h>

bool mkv_utf8_is_valid(const void *text, size_t size)
{
	const uint8_t *at = text;
	while (size > 0) {
		size_t more = *at < 0x80   ? 0
			      : *at < 0xc2 ? size
			      : *at < 0xe0 ? 1
			      : *at < 0xf0 ? 2
			      : *at < 0xf5 ? 3
					   : size;
		if (more >= size)
			return false;
		if ((*at == 0xe0 && at[1] < 0xa0) ||
		    (*at == 0xed && at[1] > 0x9f) ||
		    (*at == 0xf0 && at[1] < 0x90) ||
		    (*at == 0xf4 && at[1] > 0x8f))
			return false;
		for (size_t i = 1; i <= more; i++)
			if ((at[i] & 0xc0) != 0x80)
				return false;
		at += more + 1;
		size -= more + 1;
	}
	return true;
}

void mkv_utf8_make_valid(char *text)
{
	if (mkv_utf8_is_valid(text, strlen(text)))
		return;
	for (char *at = text; *at; at++)
		*at = (unsigned char)*at < 0x80 ? *at : '?';
}

void mkv_utf8_drop_cut(char *text)
{
	size_t size = strlen(text), more = 0;
	while (more < 3 && more < size &&
	       ((unsigned char)text[size - 1 - more] & 0xc0) == 0x80)
		more++;
	if (more == size)
		return;
	unsigned char lead = (unsigned char)text[size - 1 - more];
	size_t needed = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
	if (more < needed)
		text[size - 1 - more] = '\0';
}

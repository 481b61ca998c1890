/* SPDX-License-Identifier: MIT */
#include "lib/display.h"

#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "lib/utf8.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t utf8; /* of the process; 0 when libc lacks C.UTF-8 */

static void load_locale(void)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* The length of the first character and its code point; 0 when it is not valid
 * UTF-8. */
static size_t decode_character(const char *at, uint32_t *ret)
{
	unsigned char lead = (unsigned char)*at;
	size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (strnlen(at, length) < length || !mkv_utf8_is_valid(at, length))
		return 0;
	*ret = length == 1 ? lead : lead & (0xffU >> (length + 1));
	for (size_t i = 1; i < length; i++)
		*ret = *ret << 6 | ((unsigned char)at[i] & 0x3fU);
	return length;
}

/* Columns of a character; -1: not printable. */
static int width_of(uint32_t code)
{
	if (code < ' ' || (code >= 0x7f && code < 0xa0) ||
	    (code >= 0x202a && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069))
		return -1;
	return utf8 ? wcwidth((wchar_t)code) : 1;
}

void mkv_display_clean(char *text, const char *keep)
{
	(void)pthread_once(&once, load_locale);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	char *to = text;
	for (const char *at = text; *at;) {
		uint32_t code = 0;
		size_t length = decode_character(at, &code);
		bool kept = length == 1 && strchr(keep, (int)code);
		if (length == 0 || (!kept && width_of(code) < 0)) {
			*to++ = '?';
		} else {
			memmove(to, at, length);
			to += length;
		}
		at += length ? length : 1;
	}
	*to = '\0';
	if (utf8)
		(void)uselocale(before);
}

size_t mkv_display_cut(const char *text, size_t columns)
{
	(void)pthread_once(&once, load_locale);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	size_t bytes = 0, used = 0;
	while (text[bytes]) {
		uint32_t code = 0;
		size_t length = decode_character(text + bytes, &code);
		int width = length ? width_of(code) : -1;
		if (width < 0 || used + (size_t)width > columns)
			break;
		used += (size_t)width;
		bytes += length;
	}
	if (utf8)
		(void)uselocale(before);
	return bytes;
}

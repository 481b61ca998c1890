/* SPDX-License-Identifier: MIT */
#include "lib/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

void mkv_base64_write(const void *data, size_t size, struct mkv_buf *ret)
{
	const uint8_t *in = data;
	if (size == 0)
		return;
	if (size > SIZE_MAX / 2) {
		ret->failed = true;
		return;
	}
	char *out = mkv_buf_extend(ret, (size + 2) / 3 * 4);
	if (!out)
		return;
	for (size_t i = 0; i < size; i += 3, out += 4) {
		size_t left = size - i;
		uint32_t group = (uint32_t)in[i] << 16 |
				 (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				 (left > 2 ? (uint32_t)in[i + 2] : 0);
		out[0] = alphabet[group >> 18];
		out[1] = alphabet[group >> 12 & 63];
		out[2] = left > 1 ? alphabet[group >> 6 & 63] : '=';
		out[3] = left > 2 ? alphabet[group & 63] : '=';
	}
}

/* 0 to 63, or 64 for a byte outside the alphabet. */
static uint32_t digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Decodes one group of four characters, of which the last `pad` are '='.
 * Returns false when the group is not canonical. */
static bool read_group(const char *in, size_t pad, uint8_t *out)
{
	uint32_t group = 0;
	for (size_t i = 0; i < 4; i++) {
		uint32_t value = i < 4 - pad ? digit(in[i]) : 0;
		if (value > 63)
			return false;
		group = group << 6 | value;
	}
	if ((pad > 0 && (group & 0xff)) || (pad > 1 && (group & 0xffff)))
		return false;
	out[0] = (uint8_t)(group >> 16);
	if (pad < 2)
		out[1] = (uint8_t)(group >> 8);
	if (pad < 1)
		out[2] = (uint8_t)group;
	return true;
}

static int malformed(struct mkv_error *err, const char *why)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "base64: %s", why);
}

int mkv_base64_read(const char *text, size_t length, struct mkv_buf *ret,
		    struct mkv_error *err)
{
	if (length == 0)
		return 0;
	if (length % 4 != 0)
		return malformed(err, "the length is not a multiple of 4");
	size_t pad = text[length - 1] != '='   ? 0
		     : text[length - 2] != '=' ? 1
					       : 2;
	size_t size = length / 4 * 3 - pad;
	auto_free uint8_t *bytes = malloc(size);
	if (!bytes)
		return mkv_oom(err);
	for (size_t i = 0; i < length / 4; i++)
		if (!read_group(text + 4 * i, i == length / 4 - 1 ? pad : 0,
				bytes + 3 * i))
			return malformed(err, "the text is not canonical");
	mkv_buf_add(ret, bytes, size);
	return mkv_buf_check(ret, err);
}

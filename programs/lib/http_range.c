/* SPDX-License-Identifier: MIT */
#include "programs/lib/http_range.h"

#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 18 }; /* fit into 63 bits */

/* Reads decimal digits and moves *at behind them. False: none or too many. */
static bool read_digits(const char **at, uint64_t *ret)
{
	uint64_t value = 0;
	size_t length = 0;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		if (++length > DIGITS_MAX)
			return false;
		value = value * 10 + (uint64_t)(**at - '0');
	}
	*ret = value;
	return length > 0;
}

/* "-500": the last 500 bytes. */
static enum mkv_http_range_kind read_suffix(const char *at, uint64_t file_size,
					    struct mkv_http_range *ret)
{
	uint64_t size;
	if (!read_digits(&at, &size) || *at)
		return MKV_HTTP_RANGE_WHOLE;
	if (size == 0 || file_size == 0)
		return MKV_HTTP_RANGE_UNSATISFIABLE;
	if (size > file_size)
		size = file_size;
	*ret = (struct mkv_http_range){file_size - size, size};
	return MKV_HTTP_RANGE_PART;
}

enum mkv_http_range_kind mkv_http_range_read(const char *value,
					     uint64_t file_size,
					     struct mkv_http_range *ret)
{
	uint64_t first, last = UINT64_MAX;
	*ret = (struct mkv_http_range){0, file_size};
	if (!value || strncasecmp(value, "bytes=", 6) != 0)
		return MKV_HTTP_RANGE_WHOLE;
	const char *at = value + 6;
	if (*at == '-')
		return read_suffix(at + 1, file_size, ret);
	if (!read_digits(&at, &first) || *at++ != '-')
		return MKV_HTTP_RANGE_WHOLE;
	if (*at && (!read_digits(&at, &last) || *at || last < first))
		return MKV_HTTP_RANGE_WHOLE;
	if (first >= file_size)
		return MKV_HTTP_RANGE_UNSATISFIABLE;
	if (last >= file_size)
		last = file_size - 1;
	*ret = (struct mkv_http_range){first, last - first + 1};
	return MKV_HTTP_RANGE_PART;
}

/* SPDX-License-Identifier: MIT */
#pragma once
/* Range requests (RFC 9110, section 14): one range of bytes of a file. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/auto.h"

enum mkv_http_range_kind {
	/* No range, several ranges, another unit, or a malformed value: the
	 * server ignores the header and sends the whole file. */
	MKV_HTTP_RANGE_WHOLE,
	MKV_HTTP_RANGE_PART,	      /* 206 */
	MKV_HTTP_RANGE_UNSATISFIABLE, /* 416 */
};

struct mkv_http_range {
	uint64_t first, size; /* in bytes, within the file */
};

/* Reads the value of a Range header (NULL: absent) for a file of `file_size`
 * bytes. `ret` is set to the whole file unless the kind is
 * MKV_HTTP_RANGE_PART. */
enum mkv_http_range_kind mkv_http_range_read(const char *value,
					     uint64_t file_size,
					     struct mkv_http_range *ret)
	mkv_nonnull(3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Decompresses bodies with Content-Encoding: gzip. */

#include "lib/buf.h"

/* Appends the contents of a gzip stream of one or more members (RFC 1952).
 * -EINVAL: not a gzip stream, or truncated. -EFBIG: more than `limit_bytes` of
 * contents, of which no more are decompressed. */
int mkv_unzip(const void *data, size_t size, size_t limit_bytes,
	      struct mkv_buf *into, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

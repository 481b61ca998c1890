/* SPDX-License-Identifier: MIT */
#pragma once
/* Bodies with Content-Encoding: gzip. */

#include "lib/buf.h"

/* Appends what a gzip stream (RFC 1952, one member or more) holds. -EINVAL: it
 * isn't one, or it is cut; -EFBIG: it holds more than `limit_bytes`, which is
 * all that is ever taken from it. */
int mkv_unzip(const void *data, size_t size, size_t limit_bytes,
	      struct mkv_buf *into, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

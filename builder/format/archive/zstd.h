/* SPDX-License-Identifier: MIT */
#pragma once
/* Encodes Zstandard (RFC 8878) with libzstd in one thread. The bytes depend on
 * the data, the level and the version of libzstd. */

#include "lib/buf.h"

/* Appends one frame with a checksum that contains all of `data`. */
int mkv_zstd_encode(const void *data, size_t size, int level,
		    struct mkv_buf *into, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

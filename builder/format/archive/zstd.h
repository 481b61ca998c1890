/* SPDX-License-Identifier: MIT */
#pragma once
/* Encodes Zstandard (RFC 8878), by libzstd, in one thread. Bytes depend on the
 * libzstd version as well as on data and level. */

#include "lib/buf.h"

/* Appends one frame with a checksum that holds all of `data`. */
int mkv_zstd_encode(const void *data, size_t size, int level,
		    struct mkv_buf *into, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

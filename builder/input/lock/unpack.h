/* SPDX-License-Identifier: MIT */
#pragma once
/* Compressed indexes, unpacked with limits: .xz by liblzma, .gz by zlib. */

#include <stdint.h>

#include "lib/error.h"

/* Unpacks `from`, read from its position on, to `to`. Exactly `size_bytes` must
 * come out, else MKV_UNVERIFIED. */
int mkv_unpack_xz(int from, int to, uint64_t size_bytes,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(4);
int mkv_unpack_gz(int from, int to, uint64_t size_bytes,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Unpacks compressed indexes with limits: .xz by liblzma, .gz by zlib. */

#include <stdint.h>

#include "lib/error.h"

/* Unpacks `from`, from its current offset on, to `to`. Damaged data, or a
 * result of another size than `size_bytes`, is MKV_UNVERIFIED. The caller keeps
 * ownership of both descriptors. */
int mkv_unpack_xz(int from, int to, uint64_t size_bytes,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(4);
int mkv_unpack_gz(int from, int to, uint64_t size_bytes,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(4);

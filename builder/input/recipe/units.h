/* SPDX-License-Identifier: MIT */
#pragma once
/* Sizes and durations as people write them: a whole number and its unit, with
 * nothing between. B, kB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB of
 * 1024; ns, us, ms, s, min, h. */

#include <stdint.h>

#include "lib/error.h"

#define MKV_SIZE_PATTERN "^[0-9]+([kMGT]?B|[KMGT]iB)$"
#define MKV_DURATION_PATTERN "^[0-9]+(ns|us|ms|s|min|h)$"

/* -EINVAL when it isn't one, -ERANGE past 63 bits. */
int mkv_size_parse(const char *text, uint64_t *ret_bytes) mkv_must_check
	mkv_nonnull(1, 2);
int mkv_duration_parse(const char *text, int64_t *ret_ns) mkv_must_check
	mkv_nonnull(1, 2);

/* In the largest unit that divides: "24GiB", "80us", "0B". */
void mkv_size_print(uint64_t size_bytes, char ret[static 32]) mkv_nonnull(2);
void mkv_duration_print(int64_t duration_ns, char ret[static 32])
	mkv_nonnull(2);

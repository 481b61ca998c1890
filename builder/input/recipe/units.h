/* SPDX-License-Identifier: MIT */
#pragma once
/* Sizes and durations in text: a whole number directly followed by a unit.
 * Sizes: B, kB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB are powers of
 * 1024. Durations: ns, us, ms, s, min, h. */

#include <stdint.h>

#include "lib/error.h"

#define MKV_SIZE_PATTERN "^[0-9]+([kMGT]?B|[KMGT]iB)$"
#define MKV_PERCENTAGE_PATTERN "^[0-9]{1,3}([.][0-9]{1,7})?%$"
#define MKV_DURATION_PATTERN "^[0-9]+(ns|us|ms|s|min|h)$"

/* -EINVAL if the text is not a size or duration, -ERANGE if it exceeds 63 bits.
 */
int mkv_size_parse(const char *text, uint64_t *ret_bytes) mkv_must_check
	mkv_nonnull(1, 2);
int mkv_duration_parse(const char *text, int64_t *ret_ns) mkv_must_check
	mkv_nonnull(1, 2);

/* A percentage such as "0.1%", with up to seven decimals, as parts per 10^9. */
int mkv_percentage_parse(const char *text, int64_t *ret_ppb) mkv_must_check
	mkv_nonnull(1, 2);
void mkv_percentage_print(int64_t ppb, char ret[static 32]) mkv_nonnull(2);

/* Prints the value in the largest unit that divides it: "24GiB", "80us", "0B".
 */
void mkv_size_print(uint64_t size_bytes, char ret[static 32]) mkv_nonnull(2);
void mkv_duration_print(int64_t duration_ns, char ret[static 32])
	mkv_nonnull(2);

/* SPDX-License-Identifier: MIT */
#pragma once
/* A service's settings: MKVBENCH_NAME of the environment, else NAME=VALUE of
 * the file that MKVBENCH_SETTINGS names (a line each, '#' begins a comment),
 * else the default. */

#include <stdint.h>

#include "lib/error.h"

/* Reads the file, when there is one. */
int mkv_settings_load(struct mkv_error *err) mkv_must_check mkv_nonnull(1);
/* Borrowed; `name` without the prefix: "PORT". Never empty: an empty value is
 * as good as none. */
const char *mkv_settings_text(const char *name, const char *absent)
	mkv_nonnull(1);
/* A decimal number within limits, else an error that names them. */
int mkv_settings_integer(const char *name, int64_t absent, int64_t min,
			 int64_t max, int64_t *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 5, 6);

/* A size, "5MB" (powers of 1000: B, kB, MB, GB; of 1024: KiB, MiB, GiB) or bare
 * bytes; a duration, "250us", "5ms", "1s" or bare microseconds. */
int mkv_settings_size(const char *name, int64_t absent_bytes, int64_t max_bytes,
		      int64_t *ret_bytes, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);
int mkv_settings_duration(const char *name, int64_t absent_us, int64_t max_us,
			  int64_t *ret_us, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

/* SPDX-License-Identifier: MIT */
#pragma once
/* A service's settings: MKVBENCH_NAME of the environment, else NAME=VALUE of the
 * file that MKVBENCH_SETTINGS names (a line each, '#' begins a comment), else the
 * default. */

#include <stdint.h>

#include "lib/error.h"

/* Reads the file, when there is one. */
int mkv_settings_load(struct mkv_error *err) mkv_must_check mkv_nonnull(1);
/* Borrowed; `name` without the prefix: "PORT". Never empty: an empty value is as
 * good as none. */
const char *mkv_settings_text(const char *name, const char *absent)
	mkv_nonnull(1);
/* A decimal number within limits, else an error that names them. */
int mkv_settings_integer(const char *name, int64_t absent, int64_t min,
			 int64_t max, int64_t *ret, struct mkv_error *err)
	mkv_must_check mkv_nonnull(1, 5, 6);

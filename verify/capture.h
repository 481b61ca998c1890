/* SPDX-License-Identifier: MIT */
#pragma once
/* A hardware contract from the machine this runs on, in the form of
 * recipes/hardware/NAME.yaml. What couldn't be read is left out, with a comment
 * that says so. */

#include "verify/check.h"

/* `env` needs root and cpuid only. */
int mkv_capture(const struct mkv_env *env, struct mkv_buf *into,
		struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

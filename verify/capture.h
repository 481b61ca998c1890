/* SPDX-License-Identifier: MIT */
#pragma once
/* A hardware contract from the machine this runs on, in the form of
 * recipes/hardware/NAME.yaml, ready for a recipe. What a recipe needs not have
 * and can't be told is left out, with a comment that says so. */

#include "verify/probe/env.h"

/* `env` needs root and cpuid only. MKV_HOST_CANNOT: the machine can't be read,
 * or is one that a recipe can't describe (cores of several kinds). */
int mkv_capture(const struct mkv_env *env, struct mkv_buf *into,
		struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

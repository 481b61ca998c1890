/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes a hardware contract of the machine that this runs on, in the form of
 * recipes/hardware/NAME.yaml. A property that is optional in a recipe and can't
 * be described is left out, with the reason as a comment. */

#include "verify/probe/env.h"

/* Appends the contract. `env` needs root and cpuid only. MKV_HOST_CANNOT: the
 * machine can't be read, or a recipe can't describe it (a hybrid processor). */
int mkv_capture(const struct mkv_env *env, struct mkv_buf *into,
		struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

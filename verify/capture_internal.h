/* SPDX-License-Identifier: MIT */
#pragma once
/* The parts of a captured hardware contract. */

#include "verify/capture.h"

/* Appends a size as a recipe has it: "512KiB". */
void mkv_capture_size(struct mkv_buf *into, uint64_t bytes) mkv_nonnull(1);
/* Appends `caches`, or a comment that gives the reason why a recipe can't
 * describe them. `env` needs cpuid only. */
void mkv_capture_caches(const struct mkv_env *env, struct mkv_buf *into)
	mkv_nonnull(1, 2);

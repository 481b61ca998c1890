/* SPDX-License-Identifier: MIT */
#pragma once
/* What a container's root goes without. dpkg(1) knows the same as path-exclude
 * and path-include, so that it doesn't miss the files. */

#include <stdbool.h>

#include "lib/auto.h"

/* The text of /etc/dpkg/dpkg.cfg.d/mkvbench. */
extern const char mkv_excluded_configuration[];

bool mkv_is_excluded(const char *path) mkv_nonnull(1);

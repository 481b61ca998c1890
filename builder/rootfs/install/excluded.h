/* SPDX-License-Identifier: MIT */
#pragma once
/* Files that are left out of container images. The same rules are written to
 * dpkg's configuration in the image (dpkg(1), path-exclude and path-include).
 */

#include <stdbool.h>

#include "lib/auto.h"

/* The text of /etc/dpkg/dpkg.cfg.d/mkvbench. */
extern const char mkv_excluded_configuration[];

/* True for a path that container images leave out. */
bool mkv_is_excluded(const char *path) mkv_nonnull(1);

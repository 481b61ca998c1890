/* SPDX-License-Identifier: MIT */
#pragma once
/* Finds the root file system among the block devices that the kernel has. */

#include <stdbool.h>

enum { FIND_PATH_SIZE = 80 };

/* Looks once. `root` is what root= says: UUID=, PARTUUID=, LABEL= or a path
 * below /dev. Of several that match, the first by name. */
bool find_root(const char *root, char ret[FIND_PATH_SIZE]);
/* Whether find_root() knows this form at all. */
bool find_is_known(const char *root);
/* Says which block devices there are and what is on them. */
void find_report(void);

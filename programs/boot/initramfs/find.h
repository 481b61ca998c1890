/* SPDX-License-Identifier: MIT */
#pragma once
/* Finds the root file system among the kernel's block devices. */

#include <stdbool.h>

enum { FIND_PATH_SIZE = 80 };

/* Scans the block devices once, without waiting. `root` is the value of root=:
 * UUID=, PARTUUID=, LABEL= or a path below /dev. Of several matches the first
 * by name is returned. False: no match. */
bool find_root(const char *root, char ret[FIND_PATH_SIZE]);
/* Whether find_root() supports this form of root=. */
bool find_is_known(const char *root);
/* Lists the block devices and their file systems on the console. */
void find_report(void);

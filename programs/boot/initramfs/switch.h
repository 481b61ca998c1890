/* SPDX-License-Identifier: MIT */
#pragma once
/* From the initramfs into the real root. */

/* Moves /dev, /proc and /sys into `root`, frees what the initramfs holds, makes
 * `root` the root and becomes `init` (an absolute path there). Returns only
 * when it failed, having said why. */
void switch_root(const char *root, const char *init, char **argv);

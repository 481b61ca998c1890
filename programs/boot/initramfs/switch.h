/* SPDX-License-Identifier: MIT */
#pragma once
/* Switches from the initramfs to the root file system. */

/* Moves /dev, /proc and /sys into `root`, deletes the files of the initramfs,
 * makes `root` the root directory and executes `init`, an absolute path there.
 * Returns only on failure, after reporting it on the console. */
void switch_root(const char *root, const char *init, char **argv);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The kernel modules that the disk needs. /modules has one driver per line:
 *
 *     FILE.ko ... [for ALIAS ...]
 *
 * FILEs are below /lib, in load order. With `for`, they are loaded only when a
 * device of this machine matches one of the alias patterns (fnmatch(3)): a
 * driver without a device stays out of the running kernel. */

#include "programs/boot/initramfs/cmdline.h"

/* Loads the requested modules that are not loaded yet. Called repeatedly, since
 * a driver makes further devices appear. Failures are logged and counted. */
void modules_load(const struct cmdline *cmdline);
/* Logs the numbers of loaded and failed modules and the time spent. */
void modules_report(void);

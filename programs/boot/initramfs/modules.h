/* SPDX-License-Identifier: MIT */
#pragma once
/* The modules that reach the disk. /modules has a driver a line:
 *
 *     FILE.ko ... [for ALIAS ...]
 *
 * the files below /lib in load order; with `for`, only when a device of this
 * machine asks for one of the aliases: a driver without its device stays out of
 * the running kernel. */

#include "programs/boot/initramfs/words.h"

/* Loads what is wanted and wasn't loaded yet; called again and again, since
 * drivers make devices appear. Mistakes are logged and counted. */
void modules_load(const struct words *words);
/* Says in the log how many were loaded, how many failed, in what time. */
void modules_report(void);

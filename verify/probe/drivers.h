/* SPDX-License-Identifier: MIT */
#pragma once
/* The kernel's drivers of the devices that matter, as sysfs links them. */

#include "verify/probe/env.h"

/* Of the controller that the root file system's disk hangs on: of the nearest
 * device above the block device that has one, but SCSI's for any disk, "sd".
 * The caller's; NULL when it can't be told. */
char *mkv_driver_of_root(const struct mkv_env *env) mkv_must_check
	mkv_nonnull(1);
/* Of an interface's device, or of the one that it stands on: a tagged VLAN has
 * none of its own. Likewise. */
char *mkv_driver_of_interface(const struct mkv_env *env,
			      const char *interface) mkv_must_check
	mkv_nonnull(1, 2);

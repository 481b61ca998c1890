/* SPDX-License-Identifier: MIT */
#pragma once
/* The kernel's drivers of the root disk and of network interfaces, by the links
 * in sysfs. */

#include "verify/probe/env.h"

/* The driver of the root disk's controller: of the nearest parent device of the
 * block device that has a driver other than SCSI's generic "sd". Owned by the
 * caller; NULL: unknown. */
char *mkv_driver_of_root(const struct mkv_env *env) mkv_must_check
	mkv_nonnull(1);
/* The driver of an interface's device, or of the lower interface of a tagged
 * VLAN, which has no device. Owned by the caller; NULL: unknown. */
char *mkv_driver_of_interface(const struct mkv_env *env,
			      const char *interface) mkv_must_check
	mkv_nonnull(1, 2);

/* SPDX-License-Identifier: MIT */
#pragma once
/* A look beside a measurement takes what nobody else wants: the idle scheduling
 * class, idle I/O, and none of the CPUs that are kept quiet. */

#include "verify/probe/env.h"

/* For this process, from now on. -EINVAL when no CPU but quiet ones is left. */
int mkv_quiet(const struct mkv_env *env, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* Whether any CPU that is online is kept quiet. */
bool mkv_quiet_has_any(const struct mkv_env *env) mkv_nonnull(1);

/* The CPUs of `allowed` that are neither isolated (isolcpus=) nor without a
 * tick (nohz_full=), by sysfs. */
void mkv_quiet_cpus(const struct mkv_env *env, const struct mkv_cpuset *allowed,
		    struct mkv_cpuset *ret) mkv_nonnull(1, 2, 3);

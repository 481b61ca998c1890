/* SPDX-License-Identifier: MIT */
#pragma once
/* Keeps a run during a measurement out of its way: the idle scheduling class,
 * idle I/O priority, and no quiet CPU. A CPU is quiet when it is isolated
 * (isolcpus=) or without a tick (nohz_full=), by sysfs. */

#include "verify/probe/env.h"

/* For this process, from now on. -EINVAL: all allowed CPUs are quiet. */
int mkv_quiet(const struct mkv_env *env, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* True when an online CPU is quiet. */
bool mkv_quiet_has_any(const struct mkv_env *env) mkv_nonnull(1);

/* The CPUs of `allowed` that are not quiet. */
void mkv_quiet_cpus(const struct mkv_env *env, const struct mkv_cpuset *allowed,
		    struct mkv_cpuset *ret) mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The kernel's view of the CPUs, from sysfs (Documentation/ABI/stable/
 * sysfs-devices-system-cpu and testing/sysfs-devices-system-cpu). */

#include "verify/probe/cpufacts.h"
#include "verify/probe/env.h"

/* The online CPUs. False: not readable. */
bool mkv_sysfs_online(const struct mkv_env *env, struct mkv_cpuset *ret)
	mkv_nonnull(1, 2);
/* Cores and packages, by cpuN/topology/core_cpus_list and package_cpus_list.
 * -ENODATA: a file can't be read. */
int mkv_sysfs_topology(const struct mkv_env *env,
		       const struct mkv_cpuset *online,
		       struct mkv_cpu_sets *ret_cores,
		       struct mkv_cpu_sets *ret_packages,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Caches, by cpuN/cache/indexM. -ENODATA: a CPU has none, or invalid ones. */
int mkv_sysfs_caches(const struct mkv_env *env, const struct mkv_cpuset *online,
		     struct mkv_cache_list *ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

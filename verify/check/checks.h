/* SPDX-License-Identifier: MIT */
#pragma once
/* The checks, each declared here and named in one row of table.c. */

#include "verify/check/check.h"

#define MKV_DECLARE_CHECK(name)                                                \
	void mkv_check_##name(const struct mkv_env *env,                       \
			      struct mkv_answer *answer) mkv_nonnull(1, 2)

MKV_DECLARE_CHECK(contract);
MKV_DECLARE_CHECK(cpu_model);
MKV_DECLARE_CHECK(hypervisor);
MKV_DECLARE_CHECK(cpu_topology);
MKV_DECLARE_CHECK(smt);
MKV_DECLARE_CHECK(cache_topology);
MKV_DECLARE_CHECK(memory);
MKV_DECLARE_CHECK(huge_pages);
MKV_DECLARE_CHECK(clock);
MKV_DECLARE_CHECK(clocksource);
MKV_DECLARE_CHECK(time_daemons);
MKV_DECLARE_CHECK(kernel);
MKV_DECLARE_CHECK(command_line);
MKV_DECLARE_CHECK(mitigations);
MKV_DECLARE_CHECK(governor);
MKV_DECLARE_CHECK(boost);
MKV_DECLARE_CHECK(transparent_hugepage);
MKV_DECLARE_CHECK(ksm);
MKV_DECLARE_CHECK(numa_balancing);
MKV_DECLARE_CHECK(swap);
MKV_DECLARE_CHECK(io_scheduler);
MKV_DECLARE_CHECK(sysctls);
MKV_DECLARE_CHECK(drivers);
MKV_DECLARE_CHECK(interfaces);
MKV_DECLARE_CHECK(docker_engine);
MKV_DECLARE_CHECK(docker_networks);
MKV_DECLARE_CHECK(docker_volumes);
MKV_DECLARE_CHECK(docker_images);
MKV_DECLARE_CHECK(docker_containers);
MKV_DECLARE_CHECK(guests);
MKV_DECLARE_CHECK(guest_cpu);
MKV_DECLARE_CHECK(guest_pinning);
MKV_DECLARE_CHECK(guest_memory);
MKV_DECLARE_CHECK(guest_devices);
MKV_DECLARE_CHECK(packages);
MKV_DECLARE_CHECK(files);
MKV_DECLARE_CHECK(units);
MKV_DECLARE_CHECK(daemons);
MKV_DECLARE_CHECK(tpm_key);

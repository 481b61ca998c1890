/* SPDX-License-Identifier: MIT */
#include "verify/quiet.h"

#include <linux/ioprio.h>
#include <sched.h>
#include <sys/syscall.h>

#include "verify/probe/sysfs.h"

void mkv_quiet_cpus(const struct mkv_env *env, const struct mkv_cpuset *allowed,
		    struct mkv_cpuset *ret)
{
	static const char *const kept[] = {
		"/sys/devices/system/cpu/isolated",
		"/sys/devices/system/cpu/nohz_full",
	};
	*ret = *allowed;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		struct mkv_cpuset quiet;
		/* An empty list reads as "" or "(null)". */
		if (mkv_env_read_cpus(env, &quiet, "%s", kept[i]))
			mkv_cpuset_subtract(ret, &quiet);
	}
}

bool mkv_quiet_has_any(const struct mkv_env *env)
{
	struct mkv_cpuset online, left;
	if (!mkv_sysfs_online(env, &online))
		return false;
	mkv_quiet_cpus(env, &online, &left);
	return mkv_cpuset_count(&left) < mkv_cpuset_count(&online);
}

static int leave_quiet_cpus(const struct mkv_env *env, cpu_set_t *mask,
			    struct mkv_error *err)
{
	const size_t size = CPU_ALLOC_SIZE(MKV_CPUS_MAX);
	struct mkv_cpuset allowed = {0}, left;
	if (!mask)
		return mkv_oom(err);
	CPU_ZERO_S(size, mask);
	if (sched_getaffinity(0, size, mask) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "CPU affinity: %m");
	for (unsigned cpu = 0; cpu < MKV_CPUS_MAX; cpu++)
		if (CPU_ISSET_S(cpu, size, mask))
			mkv_cpuset_add(&allowed, cpu);
	mkv_quiet_cpus(env, &allowed, &left);
	if (mkv_cpuset_count(&left) == 0)
		return mkv_fail(err, MKV_HOST_CANNOT, EINVAL,
				"every allowed CPU is in isolcpus= or "
				"nohz_full=: no CPU is left for the verifier");
	CPU_ZERO_S(size, mask);
	for (unsigned cpu = 0; cpu < MKV_CPUS_MAX; cpu++)
		if (mkv_cpuset_has(&left, cpu))
			CPU_SET_S(cpu, size, mask);
	if (sched_setaffinity(0, size, mask) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "CPU affinity: %m");
	return 0;
}

int mkv_quiet(const struct mkv_env *env, struct mkv_error *err)
{
	const struct sched_param none = {0};
	cpu_set_t *mask = CPU_ALLOC(MKV_CPUS_MAX);
	int rc = leave_quiet_cpus(env, mask, err);
	CPU_FREE(mask);
	if (rc < 0)
		return rc;
	if (sched_setscheduler(0, SCHED_IDLE, &none) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "idle priority: %m");
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "idle I/O: %m");
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "verify/probe/sysfs.h"

#include <string.h>

#define CPU_DIR "/sys/devices/system/cpu"

bool mkv_sysfs_online(const struct mkv_env *env, struct mkv_cpuset *ret)
{
	return mkv_env_read_cpus(env, ret, CPU_DIR "/online") &&
	       mkv_cpuset_count(ret) > 0;
}

/* Reads a list that kernels before 5.3 have under an older name. */
static bool read_topology_list(const struct mkv_env *env, unsigned cpu,
			       const char *name, const char *older,
			       struct mkv_cpuset *ret)
{
	return mkv_env_read_cpus(env, ret, CPU_DIR "/cpu%u/topology/%s", cpu,
				 name) ||
	       mkv_env_read_cpus(env, ret, CPU_DIR "/cpu%u/topology/%s", cpu,
				 older);
}

int mkv_sysfs_topology(const struct mkv_env *env,
		       const struct mkv_cpuset *online,
		       struct mkv_cpu_sets *ret_cores,
		       struct mkv_cpu_sets *ret_packages, struct mkv_error *err)
{
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	for (unsigned cpu = 0; cpu < MKV_CPUS_MAX; cpu++) {
		struct mkv_cpuset core, package;
		if (!mkv_cpuset_has(online, cpu))
			continue;
		if (!read_topology_list(env, cpu, "core_cpus_list",
					"thread_siblings_list", &core) ||
		    !read_topology_list(env, cpu, "package_cpus_list",
					"core_siblings_list", &package))
			return mkv_fail(err, MKV_FAILED, ENODATA,
					"CPU %u has no topology in sysfs", cpu);
		if (!mkv_cpu_sets_add(&cores, &core) ||
		    !mkv_cpu_sets_add(&packages, &package))
			return mkv_oom(err);
	}
	*ret_cores = cores;
	*ret_packages = packages;
	cores = packages = (struct mkv_cpu_sets){0};
	return 0;
}

static bool parse_type(const char *text, enum mkv_cache_type *ret)
{
	if (strcmp(text, "Data") == 0)
		*ret = MKV_CACHE_DATA;
	else if (strcmp(text, "Instruction") == 0)
		*ret = MKV_CACHE_INSTRUCTION;
	else if (strcmp(text, "Unified") == 0)
		*ret = MKV_CACHE_UNIFIED;
	else
		return false;
	return true;
}

/* Decodes the kernel's "32K". */
static bool parse_size(const char *text, uint64_t *ret)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || end == text || value > UINT32_MAX || strcmp(end, "K") != 0)
		return false;
	*ret = (uint64_t)value << 10;
	return true;
}

/* -ENOENT: no such index; -ENODATA: an invalid file. */
static int read_cache(const struct mkv_env *env, unsigned cpu, unsigned index,
		      struct mkv_cache_instance *ret)
{
	char dir[96];
	(void)snprintf(dir, sizeof(dir), CPU_DIR "/cpu%u/cache/index%u", cpu,
		       index);
	int64_t level = mkv_env_read_number(env, "%s/level", dir);
	auto_free char *type = mkv_env_read(env, "%s/type", dir);
	if (level < 0 && !type)
		return -ENOENT;
	auto_free char *size = mkv_env_read(env, "%s/size", dir);
	int64_t ways =
		mkv_env_read_number(env, "%s/ways_of_associativity", dir);
	int64_t line = mkv_env_read_number(env, "%s/coherency_line_size", dir);
	struct mkv_cache_instance cache = {0};
	if (level < 1 || level > 7 || !type || !parse_type(type, &cache.type) ||
	    !size || !parse_size(size, &cache.size_bytes) ||
	    !mkv_env_read_cpus(env, &cache.cpus, "%s/shared_cpu_list", dir) ||
	    !mkv_cpuset_has(&cache.cpus, cpu))
		return -ENODATA;
	cache.level = (unsigned)level;
	cache.ways = ways > 0 && ways < UINT16_MAX ? (unsigned)ways : 0;
	cache.line_bytes = line > 0 && line < UINT16_MAX ? (unsigned)line : 0;
	*ret = cache;
	return 0;
}

/* Every CPU lists the caches that it shares; the list keeps the entry of the
 * first CPU. A deviating entry of another CPU is kept too, so that the
 * comparison finds it. */
static bool has_cache(const struct mkv_cache_list *list,
		      const struct mkv_cache_instance *cache)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct mkv_cache_instance *have = &list->items[i];
		if (have->level == cache->level && have->type == cache->type &&
		    have->size_bytes == cache->size_bytes &&
		    have->ways == cache->ways &&
		    have->line_bytes == cache->line_bytes &&
		    mkv_cpuset_compare(&have->cpus, &cache->cpus) == 0)
			return true;
	}
	return false;
}

int mkv_sysfs_caches(const struct mkv_env *env, const struct mkv_cpuset *online,
		     struct mkv_cache_list *ret, struct mkv_error *err)
{
	auto_cache_list struct mkv_cache_list list = {.sharing_known = true};
	for (unsigned cpu = 0; cpu < MKV_CPUS_MAX; cpu++) {
		if (!mkv_cpuset_has(online, cpu))
			continue;
		for (unsigned index = 0; index < 16; index++) {
			struct mkv_cache_instance cache;
			int rc = read_cache(env, cpu, index, &cache);
			if (rc == -ENOENT && index > 0)
				break;
			if (rc < 0)
				return mkv_fail(
					err, MKV_FAILED, ENODATA,
					"CPU %u: cache/index%u in sysfs "
					"is missing or invalid",
					cpu, index);
			if (!has_cache(&list, &cache) &&
			    !mkv_cache_list_add(&list, &cache))
				return mkv_oom(err);
		}
	}
	mkv_cache_list_sort(&list);
	*ret = list;
	list = (struct mkv_cache_list){0};
	return 0;
}

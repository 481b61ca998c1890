/* SPDX-License-Identifier: MIT */
#include "verify/capture_internal.h"

#include "lib/hardware_limits.h"
#include "verify/probe/cpufacts.h"

void mkv_capture_size(struct mkv_buf *into, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
	size_t unit = 0;
	while (unit < 3 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	mkv_buf_printf(into, "%llu%s", (unsigned long long)bytes, units[unit]);
}

/* True when both are one row of a recipe, which has one for each level and
 * type.
 */
static bool is_kind(const struct mkv_cache_instance *a,
		    const struct mkv_cache_instance *b)
{
	return a->level == b->level && a->type == b->type;
}

static bool is_alike(const struct mkv_cache_instance *a,
		     const struct mkv_cache_instance *b)
{
	return a->size_bytes == b->size_bytes && a->ways == b->ways &&
	       a->line_bytes == b->line_bytes &&
	       mkv_cpuset_count(&a->cpus) == mkv_cpuset_count(&b->cpus);
}

/* Why a recipe and its contract can't describe this cache; NULL: they can. */
static const char *reason_against_cache(const struct mkv_env *env,
					const struct mkv_cache_instance *cache,
					const struct mkv_cpu_sets *packages)
{
	unsigned sharers = mkv_cpuset_count(&cache->cpus);
	if (cache->level < 1 || cache->level > MKV_CACHE_LEVEL_MAX ||
	    cache->size_bytes < MKV_CACHE_SIZE_MIN ||
	    cache->size_bytes > MKV_CACHE_SIZE_MAX ||
	    cache->ways > MKV_CACHE_WAYS_MAX ||
	    cache->line_bytes < MKV_CACHE_LINE_MIN ||
	    cache->line_bytes > MKV_CACHE_LINE_MAX)
		return "a level, size, associativity or line size is out of "
		       "range";
	if (sharers > MKV_CACHE_SHARED_BY_MAX ||
	    env->cpuid->count % sharers != 0)
		return "some CPUs lack a cache that others have";
	/* In a contract a cache is within one socket. */
	for (size_t i = 0; i < packages->count; i++)
		if (sharers > mkv_cpuset_count(&packages->items[i]))
			return "a cache is shared by several sockets";
	return NULL;
}

/* True when a level has a unified cache and one for data or instructions. */
static bool is_mixed_level(const struct mkv_cache_instance *a,
			   const struct mkv_cache_instance *b)
{
	return a->level == b->level && a->type != b->type &&
	       (a->type == MKV_CACHE_UNIFIED || b->type == MKV_CACHE_UNIFIED);
}

/* Why a recipe can't describe these two caches together; NULL: it can. */
static const char *reason_against_pair(const struct mkv_cache_instance *a,
				       const struct mkv_cache_instance *b)
{
	if (is_kind(a, b) && !is_alike(a, b))
		return "caches of one level and type differ";
	if (is_mixed_level(a, b))
		return "a level has a unified cache and others";
	return NULL;
}

/* Why a recipe can't describe these caches; NULL: it can. */
static const char *reason_against_all(const struct mkv_env *env,
				      const struct mkv_cache_list *list,
				      const struct mkv_cpu_sets *packages)
{
	const char *why = NULL;
	if (!list->sharing_known)
		return "CPUID doesn't show which CPUs share a cache";
	if (list->count == 0)
		return "CPUID shows no caches";
	/* The list is sorted by level and type: comparing neighbours suffices.
	 */
	for (size_t i = 1; !why && i < list->count; i++)
		why = reason_against_pair(&list->items[i - 1], &list->items[i]);
	for (size_t i = 0; !why && i < list->count; i++)
		why = reason_against_cache(env, &list->items[i], packages);
	return why;
}

static void capture_cache(const struct mkv_cache_instance *cache,
			  struct mkv_buf *into)
{
	mkv_buf_printf(into, "  - {level: %u, type: %s, size: ", cache->level,
		       mkv_cache_type_name(cache->type));
	mkv_capture_size(into, cache->size_bytes);
	if (cache->ways)
		mkv_buf_printf(into, ", ways: %u", cache->ways);
	mkv_buf_printf(into, ", line: %u, shared-by: %u}\n", cache->line_bytes,
		       mkv_cpuset_count(&cache->cpus));
}

void mkv_capture_caches(const struct mkv_env *env, struct mkv_buf *into)
{
	auto_cache_list struct mkv_cache_list list = {0};
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	const char *leaf = NULL;
	struct mkv_error err;
	const char *why = mkv_cpuid_topology(env->cpuid, &cores, &packages,
					     &leaf, &err) < 0 ||
					  mkv_cpuid_caches(env->cpuid, &list,
							   &leaf, &err) < 0
				  ? "CPUID shows no caches"
				  : reason_against_all(env, &list, &packages);
	if (why) {
		mkv_buf_printf(into, "# caches: not promised: %s\n", why);
		return;
	}
	mkv_buf_str(into, "caches:\n");
	for (size_t i = 0; i < list.count; i++) {
		bool known = false;
		for (size_t j = 0; j < i; j++)
			known = known ||
				is_kind(&list.items[j], &list.items[i]);
		if (!known)
			capture_cache(&list.items[i], into);
	}
}

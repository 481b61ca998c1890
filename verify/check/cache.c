/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <string.h>

#include "verify/probe/sysfs.h"

static void cache_text(const struct mkv_cache_instance *cache, bool with_cpus,
		       char *ret, size_t size)
{
	char cpus[128] = "";
	if (with_cpus)
		mkv_cpuset_text(&cache->cpus, cpus, sizeof(cpus));
	(void)snprintf(ret, size, "%llu KiB, %u ways, line %u%s%s%s",
		       (unsigned long long)(cache->size_bytes >> 10),
		       cache->ways, cache->line_bytes,
		       with_cpus ? ", CPUs {" : "", cpus, with_cpus ? "}" : "");
}

static bool is_same_cache(const struct mkv_cache_instance *a,
			  const struct mkv_cache_instance *b)
{
	return a->level == b->level && a->type == b->type &&
	       a->size_bytes == b->size_bytes && a->ways == b->ways &&
	       a->line_bytes == b->line_bytes;
}

static const struct mkv_cache_instance *
find_cache(const struct mkv_cache_list *list,
	   const struct mkv_cache_instance *cache, bool with_cpus)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_same_cache(&list->items[i], cache) &&
		    (!with_cpus || mkv_cpuset_compare(&list->items[i].cpus,
						      &cache->cpus) == 0))
			return &list->items[i];
	return NULL;
}

/* Appends a finding for each cache of one list that is not in the other, up
 * to 8. Returns their number. */
static unsigned find_missing(struct mkv_answer *answer, const char *source,
			     const struct mkv_cache_list *from,
			     const struct mkv_cache_list *in, bool with_cpus,
			     bool from_cpuid)
{
	unsigned count = 0;
	for (size_t i = 0; i < from->count && count < 8; i++) {
		const struct mkv_cache_instance *cache = &from->items[i];
		if (find_cache(in, cache, with_cpus))
			continue;
		char what[64], text[256];
		(void)snprintf(what, sizeof(what), "L%u %s: CPUID and kernel",
			       cache->level, mkv_cache_type_name(cache->type));
		cache_text(cache, with_cpus, text, sizeof(text));
		mkv_answer_add(answer, MKV_FAIL, what, source,
			       from_cpuid ? text : "no such cache",
			       from_cpuid ? "no such cache" : text);
		count++;
	}
	return count;
}

static void compare_with_kernel(struct mkv_answer *answer, const char *leaf,
				const struct mkv_cache_list *registers,
				const struct mkv_cache_list *kernel)
{
	char source[160];
	(void)snprintf(source, sizeof(source),
		       "%s against /sys/devices/system/cpu/cpu*/cache", leaf);
	bool with_cpus = registers->sharing_known;
	unsigned wrong = find_missing(answer, source, registers, kernel,
				      with_cpus, true);
	wrong += find_missing(answer, source, kernel, registers, with_cpus,
			      false);
	if (wrong == 0)
		mkv_answer_say(answer, MKV_PASS, "CPUID and kernel", source,
			       "agree", "agree on %zu caches", kernel->count);
}

static bool is_row_of(const struct mkv_contract_cache *row,
		      const struct mkv_cache_instance *cache, bool sharing)
{
	return row->level == cache->level &&
	       strcmp(row->type, mkv_cache_type_name(cache->type)) == 0 &&
	       row->size_bytes == cache->size_bytes &&
	       (!row->ways || row->ways == cache->ways) &&
	       (!row->line_bytes || row->line_bytes == cache->line_bytes) &&
	       (!row->shared_by || !sharing ||
		row->shared_by == mkv_cpuset_count(&cache->cpus));
}

static void row_text(const struct mkv_contract_cache *row, char *ret,
		     size_t size)
{
	char ways[24] = "", line[24] = "", shared[40] = "", count[32] = "";
	if (row->ways)
		(void)snprintf(ways, sizeof(ways), ", %u ways", row->ways);
	if (row->line_bytes)
		(void)snprintf(line, sizeof(line), ", line %u",
			       row->line_bytes);
	if (row->shared_by)
		(void)snprintf(shared, sizeof(shared), ", shared by %u",
			       row->shared_by);
	if (row->instances)
		(void)snprintf(count, sizeof(count), ", %u of them",
			       row->instances);
	(void)snprintf(ret, size, "%llu KiB%s%s%s%s",
		       (unsigned long long)(row->size_bytes >> 10), ways, line,
		       shared, count);
}

/* Lists the different caches of a level and type with their numbers. */
static void level_text(const struct mkv_cache_list *list, unsigned level,
		       const char *type, char *ret, size_t size)
{
	size_t used = 0;
	(void)snprintf(ret, size, "none");
	for (size_t i = 0; i < list->count; i++) {
		const struct mkv_cache_instance *cache = &list->items[i];
		if (cache->level != level ||
		    strcmp(type, mkv_cache_type_name(cache->type)) != 0)
			continue;
		unsigned alike = 0;
		bool first = true;
		unsigned share = mkv_cpuset_count(&cache->cpus);
		for (size_t j = 0; j < list->count; j++)
			if (is_same_cache(&list->items[j], cache) &&
			    mkv_cpuset_count(&list->items[j].cpus) == share) {
				first = first && j >= i;
				alike++;
			}
		if (!first || used + 96 > size)
			continue;
		int put =
			snprintf(ret + used, size - used,
				 "%s%llu KiB, %u ways, line %u, shared by %u, "
				 "%u of them",
				 used ? "; " : "",
				 (unsigned long long)(cache->size_bytes >> 10),
				 cache->ways, cache->line_bytes, share, alike);
		used += put > 0 ? (size_t)put : 0;
	}
}

static void compare_row(const struct mkv_contract_cache *row,
			struct mkv_answer *answer, const char *source,
			const struct mkv_cache_list *list)
{
	char what[48], expected[160], observed[512];
	unsigned count = 0;
	(void)snprintf(what, sizeof(what), "L%u %s", row->level, row->type);
	for (size_t i = 0; i < list->count; i++)
		count += is_row_of(row, &list->items[i], list->sharing_known);
	row_text(row, expected, sizeof(expected));
	level_text(list, row->level, row->type, observed, sizeof(observed));
	enum mkv_result result = MKV_PASS;
	if (count == 0 ||
	    (row->instances && list->sharing_known && row->instances != count))
		result = MKV_FAIL;
	mkv_answer_add(answer, result, what, source, expected, observed);
	if (result == MKV_PASS && row->shared_by && !list->sharing_known)
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, what, source,
			       expected,
			       "these leaves don't show which CPUs share it");
}

/* Appends a finding for the first cache that no row of the contract allows. */
static void find_unknown_cache(const struct mkv_env *env,
			       struct mkv_answer *answer, const char *source,
			       const struct mkv_cache_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct mkv_cache_instance *cache = &list->items[i];
		bool allowed = false;
		for (size_t r = 0; r < env->image->n_caches; r++)
			allowed = allowed ||
				  is_row_of(&env->image->caches[r], cache,
					    list->sharing_known);
		if (allowed)
			continue;
		char what[48], text[256];
		(void)snprintf(what, sizeof(what), "L%u %s", cache->level,
			       mkv_cache_type_name(cache->type));
		cache_text(cache, list->sharing_known, text, sizeof(text));
		mkv_answer_add(answer, MKV_FAIL, what, source,
			       "only what the contract lists", text);
		return;
	}
}

static void compare_with_contract(const struct mkv_env *env,
				  struct mkv_answer *answer, const char *source,
				  const struct mkv_cache_list *list)
{
	for (size_t i = 0; i < env->image->n_caches; i++)
		compare_row(&env->image->caches[i], answer, source, list);
	find_unknown_cache(env, answer, source, list);
}

static void record_caches(struct mkv_answer *answer, const char *source,
			  const struct mkv_cache_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		char what[48], text[256];
		(void)snprintf(what, sizeof(what), "L%u %s",
			       list->items[i].level,
			       mkv_cache_type_name(list->items[i].type));
		cache_text(&list->items[i], true, text, sizeof(text));
		mkv_answer_add(answer, MKV_NOT_PROMISED, what, source, NULL,
			       text);
	}
}

void mkv_check_cache_topology(const struct mkv_env *env,
			      struct mkv_answer *answer)
{
	static const char sysfs[] = "/sys/devices/system/cpu/cpu*/cache";
	bool promised = env->image->n_caches > 0;
	enum mkv_result unseen =
		promised ? MKV_NOT_ESTABLISHED : MKV_NOT_PROMISED;
	struct mkv_error err = {0};
	struct mkv_cpuset online;
	auto_cache_list struct mkv_cache_list registers = {0}, kernel = {0};
	const char *leaf = "CPUID";
	bool by_cpuid = env->cpuid && mkv_cpuid_caches(env->cpuid, &registers,
						       &leaf, &err) == 0;
	if (!by_cpuid)
		mkv_answer_add(answer, unseen, "registers", "CPUID, every CPU",
			       "readable", env->cpuid ? err.message : NULL);
	bool by_kernel = mkv_sysfs_online(env, &online) &&
			 mkv_sysfs_caches(env, &online, &kernel, &err) == 0;
	if (!by_kernel)
		mkv_answer_add(answer, unseen, "the kernel's view", sysfs,
			       "readable", err.message);
	if (!promised) {
		if (by_cpuid)
			record_caches(answer, leaf, &registers);
		return;
	}
	if (by_cpuid)
		compare_with_contract(env, answer, leaf, &registers);
	if (by_kernel)
		compare_with_contract(env, answer, sysfs, &kernel);
	if (by_cpuid && by_kernel)
		compare_with_kernel(answer, leaf, &registers, &kernel);
}

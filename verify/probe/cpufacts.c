/* SPDX-License-Identifier: MIT */
#include "verify/probe/cpufacts.h"

#include <string.h>

void mkv_cpu_sets_done(struct mkv_cpu_sets *sets)
{
	free(sets->items);
	*sets = (struct mkv_cpu_sets){0};
}

static int compare_sets(const void *a, const void *b)
{
	return mkv_cpuset_compare(a, b);
}

bool mkv_cpu_sets_add(struct mkv_cpu_sets *sets, const struct mkv_cpuset *set)
{
	for (size_t i = 0; i < sets->count; i++)
		if (mkv_cpuset_compare(&sets->items[i], set) == 0)
			return true;
	void *more = reallocarray(sets->items, sets->count + 1,
				  sizeof(*sets->items));
	if (!more)
		return false;
	sets->items = more;
	sets->items[sets->count++] = *set;
	qsort(sets->items, sets->count, sizeof(*sets->items), compare_sets);
	return true;
}

bool mkv_cpu_sets_equal(const struct mkv_cpu_sets *a,
			const struct mkv_cpu_sets *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (mkv_cpuset_compare(&a->items[i], &b->items[i]) != 0)
			return false;
	return true;
}

int64_t mkv_cpu_sets_even(const struct mkv_cpu_sets *sets)
{
	int64_t size = -1;
	for (size_t i = 0; i < sets->count; i++) {
		int64_t here = mkv_cpuset_count(&sets->items[i]);
		if (size >= 0 && here != size)
			return -1;
		size = here;
	}
	return size;
}

int64_t mkv_cpu_cores_each(const struct mkv_cpu_sets *cores,
			   const struct mkv_cpu_sets *packages)
{
	int64_t all = -1;
	for (size_t p = 0; p < packages->count; p++) {
		int64_t here = 0;
		for (size_t c = 0; c < cores->count; c++)
			here += mkv_cpuset_has(
				&packages->items[p],
				mkv_cpuset_first(&cores->items[c]));
		if (all >= 0 && here != all)
			return -1;
		all = here;
	}
	return all;
}

/* The position of a CPU: CPUs with equal `core` keys share a core, those with
 * equal `package` keys a package. */
struct place {
	uint64_t core, package;
	uint32_t apic;
};

static bool place_by_x2apic(const struct mkv_cpuid_cpu *cpu, uint32_t leaf,
			    struct place *ret)
{
	unsigned core_shift = 0, package_shift = 0;
	uint32_t apic = 0;
	bool any = false;
	for (uint32_t subleaf = 0; subleaf < 8; subleaf++) {
		const struct mkv_cpuid_regs *r =
			mkv_cpuid_get(cpu, leaf, subleaf);
		if (!r)
			break;
		unsigned type = r->ecx >> 8 & 0xff;
		if (type == 0 || (r->ebx & 0xffff) == 0)
			break;
		any = true;
		apic = r->edx;
		if (type == 1)
			core_shift = r->eax & 31;
		package_shift = r->eax & 31;
	}
	if (!any)
		return false;
	*ret = (struct place){apic >> core_shift, apic >> package_shift, apic};
	return true;
}

static unsigned log2_up(unsigned value)
{
	unsigned bits = 0;
	while (bits < 31 && (UINT32_C(1) << bits) < value)
		bits++;
	return bits;
}

static bool has_topoext(const struct mkv_cpuid_cpu *cpu)
{
	return mkv_cpu_feature(cpu, "topoext") == 1;
}

static bool is_amd(const struct mkv_cpuid_cpu *cpu)
{
	struct mkv_cpu_identity id;
	return mkv_cpu_identify(cpu, &id) &&
	       (strcmp(id.vendor, "AuthenticAMD") == 0 ||
		strcmp(id.vendor, "HygonGenuine") == 0);
}

static bool place_by_amd(const struct mkv_cpuid_cpu *cpu, struct place *ret)
{
	const struct mkv_cpuid_regs *one = mkv_cpuid_get(cpu, 1, 0);
	const struct mkv_cpuid_regs *size = mkv_cpuid_get(cpu, 0x80000008, 0);
	if (!is_amd(cpu) || !one || !size)
		return false;
	unsigned shift = size->ecx >> 12 & 15;
	if (shift == 0)
		shift = log2_up((size->ecx & 0xff) + 1);
	uint32_t apic = one->ebx >> 24;
	uint64_t package = apic >> shift;
	uint64_t core = apic;
	const struct mkv_cpuid_regs *unit = mkv_cpuid_get(cpu, 0x8000001e, 0);
	if (unit && has_topoext(cpu)) {
		apic = unit->eax;
		package = apic >> shift;
		core = package << 32 | (unit->ebx & 0xff);
	}
	*ret = (struct place){core, package, apic};
	return true;
}

static bool place_by_leaf_4(const struct mkv_cpuid_cpu *cpu, struct place *ret)
{
	const struct mkv_cpuid_regs *one = mkv_cpuid_get(cpu, 1, 0);
	const struct mkv_cpuid_regs *four = mkv_cpuid_get(cpu, 4, 0);
	if (!one)
		return false;
	uint32_t apic = one->ebx >> 24;
	unsigned logical = 1, cores = 1;
	if (one->edx >> 28 & 1)
		logical = one->ebx >> 16 & 0xff;
	if (four && (four->eax & 0x1f))
		cores = (four->eax >> 26) + 1;
	if (logical == 0)
		logical = 1;
	unsigned package_shift = log2_up(logical > cores ? logical : cores);
	unsigned core_bits = log2_up(cores);
	unsigned core_shift =
		package_shift > core_bits ? package_shift - core_bits : 0;
	*ret = (struct place){apic >> core_shift, apic >> package_shift, apic};
	return true;
}

static bool find_place(const struct mkv_cpuid_cpu *cpu, struct place *ret,
		       const char **ret_leaf)
{
	const char *leaf = NULL;
	if (place_by_x2apic(cpu, 0x1f, ret))
		leaf = "CPUID 0x1F";
	else if (place_by_x2apic(cpu, 0xb, ret))
		leaf = "CPUID 0xB";
	else if (place_by_amd(cpu, ret))
		leaf = "CPUID 0x80000008, 0x8000001E";
	else if (place_by_leaf_4(cpu, ret))
		leaf = "CPUID 1, 4";
	if (leaf && ret_leaf)
		*ret_leaf = leaf;
	return leaf != NULL;
}

/* Adds the CPU to the set with this key, or to a new set. False: out of memory.
 */
static bool add_to_set(struct mkv_cpu_sets *sets, uint64_t **keys, uint64_t key,
		       unsigned cpu)
{
	for (size_t i = 0; i < sets->count; i++)
		if ((*keys)[i] == key) {
			mkv_cpuset_add(&sets->items[i], cpu);
			return true;
		}
	void *more_keys = reallocarray(*keys, sets->count + 1, sizeof(**keys));
	if (!more_keys)
		return false;
	*keys = more_keys;
	void *more = reallocarray(sets->items, sets->count + 1,
				  sizeof(*sets->items));
	if (!more)
		return false;
	sets->items = more;
	(*keys)[sets->count] = key;
	sets->items[sets->count] = (struct mkv_cpuset){0};
	mkv_cpuset_add(&sets->items[sets->count++], cpu);
	return true;
}

int mkv_cpuid_topology(const struct mkv_cpuid_dump *dump,
		       struct mkv_cpu_sets *ret_cores,
		       struct mkv_cpu_sets *ret_packages, const char **ret_leaf,
		       struct mkv_error *err)
{
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	auto_free uint64_t *core_keys = NULL;
	auto_free uint64_t *package_keys = NULL;
	for (size_t i = 0; i < dump->count; i++) {
		const struct mkv_cpuid_cpu *cpu = &dump->cpus[i];
		struct place place;
		if (!find_place(cpu, &place, ret_leaf))
			return mkv_fail(err, MKV_FAILED, ENODATA,
					"CPU %u: CPUID has no topology",
					cpu->cpu);
		if (!add_to_set(&cores, &core_keys, place.core, cpu->cpu) ||
		    !add_to_set(&packages, &package_keys, place.package,
				cpu->cpu))
			return mkv_oom(err);
	}
	*ret_cores = cores;
	*ret_packages = packages;
	cores = packages = (struct mkv_cpu_sets){0};
	return 0;
}

const char *mkv_cache_type_name(enum mkv_cache_type type)
{
	switch (type) {
	case MKV_CACHE_DATA:
		return "data";
	case MKV_CACHE_INSTRUCTION:
		return "instruction";
	case MKV_CACHE_UNIFIED:
		return "unified";
	}
	return "?";
}

void mkv_cache_list_done(struct mkv_cache_list *list)
{
	free(list->items);
	*list = (struct mkv_cache_list){0};
}

bool mkv_cache_list_add(struct mkv_cache_list *list,
			const struct mkv_cache_instance *cache)
{
	void *more = reallocarray(list->items, list->count + 1,
				  sizeof(*list->items));
	if (!more)
		return false;
	list->items = more;
	list->items[list->count++] = *cache;
	return true;
}

static int compare_caches(const void *a, const void *b)
{
	const struct mkv_cache_instance *x = a, *y = b;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return mkv_cpuset_compare(&x->cpus, &y->cpus);
}

void mkv_cache_list_sort(struct mkv_cache_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items),
		      compare_caches);
}

/* A cache as one CPU describes it, and a key that is equal on all CPUs that
 * share it. */
struct described_cache {
	struct mkv_cache_instance cache;
	uint64_t key;
};

/* Adds the CPU to the instance of this cache, or a new instance. `keys` has the
 * key of each item of the list. False: out of memory. */
static bool add_cache_of_cpu(struct mkv_cache_list *list, uint64_t **keys,
			     const struct described_cache *described,
			     unsigned cpu)
{
	for (size_t i = 0; i < list->count; i++) {
		struct mkv_cache_instance *have = &list->items[i];
		if ((*keys)[i] == described->key &&
		    have->level == described->cache.level &&
		    have->type == described->cache.type &&
		    have->size_bytes == described->cache.size_bytes &&
		    have->ways == described->cache.ways &&
		    have->line_bytes == described->cache.line_bytes) {
			mkv_cpuset_add(&have->cpus, cpu);
			return true;
		}
	}
	void *more = reallocarray(*keys, list->count + 1, sizeof(**keys));
	if (!more)
		return false;
	*keys = more;
	(*keys)[list->count] = described->key;
	struct mkv_cache_instance cache = described->cache;
	mkv_cpuset_add(&cache.cpus, cpu);
	return mkv_cache_list_add(list, &cache);
}

/* Leaves 4 and 0x8000001D have the same layout. -ENODATA: no caches. */
static int read_cache_leaf(const struct mkv_cpuid_cpu *cpu, uint32_t leaf,
			   uint32_t apic, struct mkv_cache_list *list,
			   uint64_t **keys)
{
	unsigned seen = 0;
	for (uint32_t subleaf = 0; subleaf < 16; subleaf++) {
		const struct mkv_cpuid_regs *r =
			mkv_cpuid_get(cpu, leaf, subleaf);
		unsigned type = r ? r->eax & 0x1f : 0;
		if (type == 0)
			break;
		if (type > MKV_CACHE_UNIFIED)
			continue;
		unsigned line = (r->ebx & 0xfff) + 1;
		unsigned partitions = (r->ebx >> 12 & 0x3ff) + 1;
		unsigned ways = (r->ebx >> 22) + 1;
		uint64_t sets = (uint64_t)r->ecx + 1;
		unsigned sharing = (r->eax >> 14 & 0xfff) + 1;
		uint64_t size;
		if (__builtin_mul_overflow(
			    sets, (uint64_t)ways * partitions * line, &size))
			size = UINT64_MAX;
		struct described_cache described = {
			.cache = {.level = r->eax >> 5 & 7,
				  .type = (enum mkv_cache_type)type,
				  .size_bytes = size,
				  .ways = r->eax >> 9 & 1 ? 0 : ways,
				  .line_bytes = line},
			.key = apic >> log2_up(sharing),
		};
		if (!add_cache_of_cpu(list, keys, &described, cpu->cpu))
			return -ENOMEM;
		seen++;
	}
	return seen ? 0 : -ENODATA;
}

/* Decodes the associativity of leaf 0x80000006 (APM volume 3). */
static unsigned amd_ways(unsigned code)
{
	static const unsigned ways[16] = {0,  1, 2,  3,	 4,  6,	 8,   0,
					  16, 0, 32, 48, 64, 96, 128, 0};
	return ways[code];
}

static int read_legacy_amd(const struct mkv_cpuid_cpu *cpu,
			   struct mkv_cache_list *list, uint64_t **keys)
{
	const struct mkv_cpuid_regs *five = mkv_cpuid_get(cpu, 0x80000005, 0);
	const struct mkv_cpuid_regs *six = mkv_cpuid_get(cpu, 0x80000006, 0);
	if (!five || !six || !five->ecx)
		return -ENODATA;
	const struct described_cache described[] = {
		{{1,
		  MKV_CACHE_DATA,
		  (uint64_t)(five->ecx >> 24) << 10,
		  (five->ecx >> 16 & 0xff) == 0xff ? 0 : five->ecx >> 16 & 0xff,
		  five->ecx & 0xff,
		  {{0}}},
		 cpu->cpu},
		{{1,
		  MKV_CACHE_INSTRUCTION,
		  (uint64_t)(five->edx >> 24) << 10,
		  (five->edx >> 16 & 0xff) == 0xff ? 0 : five->edx >> 16 & 0xff,
		  five->edx & 0xff,
		  {{0}}},
		 cpu->cpu},
		{{2,
		  MKV_CACHE_UNIFIED,
		  (uint64_t)(six->ecx >> 16) << 10,
		  amd_ways(six->ecx >> 12 & 15),
		  six->ecx & 0xff,
		  {{0}}},
		 cpu->cpu},
		{{3,
		  MKV_CACHE_UNIFIED,
		  (uint64_t)(six->edx >> 18) << 19,
		  amd_ways(six->edx >> 12 & 15),
		  six->edx & 0xff,
		  {{0}}},
		 cpu->cpu},
	};
	for (size_t i = 0; i < 4; i++)
		if (described[i].cache.size_bytes &&
		    !add_cache_of_cpu(list, keys, &described[i], cpu->cpu))
			return -ENOMEM;
	return 0;
}

/* Adds the caches that one CPU describes. -ENODATA: none; -ENOMEM. */
static int add_caches(const struct mkv_cpuid_cpu *cpu,
		      struct mkv_cache_list *list, uint64_t **keys,
		      const char **ret_leaf)
{
	struct place place = {0};
	(void)find_place(cpu, &place, NULL);
	if (!is_amd(cpu)) {
		*ret_leaf = "CPUID 4";
		return read_cache_leaf(cpu, 4, place.apic, list, keys);
	}
	if (has_topoext(cpu)) {
		*ret_leaf = "CPUID 0x8000001D";
		int rc = read_cache_leaf(cpu, 0x8000001d, place.apic, list,
					 keys);
		if (rc != -ENODATA)
			return rc;
	}
	*ret_leaf = "CPUID 0x80000005, 0x80000006";
	list->sharing_known = false;
	return read_legacy_amd(cpu, list, keys);
}

int mkv_cpuid_caches(const struct mkv_cpuid_dump *dump,
		     struct mkv_cache_list *ret, const char **ret_leaf,
		     struct mkv_error *err)
{
	auto_cache_list struct mkv_cache_list list = {.sharing_known = true};
	auto_free uint64_t *keys = NULL;
	const char *leaf = NULL;
	for (size_t i = 0; i < dump->count; i++) {
		const struct mkv_cpuid_cpu *cpu = &dump->cpus[i];
		const char *here = "";
		int rc = add_caches(cpu, &list, &keys, &here);
		if (rc == -ENOMEM)
			return mkv_oom(err);
		if (rc < 0)
			return mkv_fail(err, MKV_FAILED, ENODATA,
					"CPU %u: CPUID has no caches",
					cpu->cpu);
		if (leaf && strcmp(leaf, here) != 0)
			return mkv_fail(err, MKV_FAILED, ENODATA,
					"CPU %u has its caches in %s, other "
					"CPUs in %s",
					cpu->cpu, here, leaf);
		leaf = here;
	}
	mkv_cache_list_sort(&list);
	*ret = list;
	*ret_leaf = leaf ? leaf : "CPUID";
	list = (struct mkv_cache_list){0};
	return 0;
}

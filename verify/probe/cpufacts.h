/* SPDX-License-Identifier: MIT */
#pragma once
/* Decodes CPUID registers: the identity of a CPU, how threads form cores and
 * packages, and the caches. Ids are never compared, only partitions: which CPUs
 * share a core, a package or a cache. */

#include "lib/cputext.h"
#include "verify/probe/cpuid.h"

struct mkv_cpu_identity { /* texts in the form of lib/cputext.h */
	char vendor[MKV_CPUTEXT_SIZE];
	/* Up to its first NUL, leading and trailing spaces removed. */
	char brand[MKV_CPUTEXT_SIZE];
	unsigned family, model, stepping; /* extended parts included */
	bool hypervisor;		  /* leaf 1, ECX bit 31 */
	/* "" without that bit or leaf 0x40000000. */
	char hypervisor_signature[MKV_CPUTEXT_SIZE];
};
/* False when leaf 0 or 1 is missing. */
bool mkv_cpu_identify(const struct mkv_cpuid_cpu *cpu,
		      struct mkv_cpu_identity *ret) mkv_nonnull(1, 2);

/* A feature by its name in /proc/cpuinfo. 1: present; 0: absent; -1: this table
 * doesn't have the name. */
int mkv_cpu_feature(const struct mkv_cpuid_cpu *cpu, const char *name)
	mkv_nonnull(1, 2);

/* Sets of CPUs that don't overlap, ordered by their first member. */
struct mkv_cpu_sets {
	struct mkv_cpuset *items;
	size_t count;
};
void mkv_cpu_sets_done(struct mkv_cpu_sets *sets) mkv_nonnull(1);
#define auto_cpu_sets __attribute__((cleanup(mkv_cpu_sets_done)))
/* Adds the set unless an equal one is present. False: out of memory. */
bool mkv_cpu_sets_add(struct mkv_cpu_sets *sets, const struct mkv_cpuset *set)
	mkv_nonnull(1, 2);
bool mkv_cpu_sets_equal(const struct mkv_cpu_sets *a,
			const struct mkv_cpu_sets *b) mkv_nonnull(1, 2);
/* The number of members of each set if all are equal, else -1. */
int64_t mkv_cpu_sets_even(const struct mkv_cpu_sets *sets) mkv_nonnull(1);
/* The number of cores of each package if all are equal, else -1. A core belongs
 * to the package of its first thread. */
int64_t mkv_cpu_cores_each(const struct mkv_cpu_sets *cores,
			   const struct mkv_cpu_sets *packages)
	mkv_nonnull(1, 2);

/* The threads of each core and of each package, by leaf 0x1F, else 0xB, else
 * AMD's 0x8000001E with 0x80000008, else leaves 1 and 4. `ret_leaf` names the
 * leaf that was used. -ENODATA: no leaf has the topology. */
int mkv_cpuid_topology(const struct mkv_cpuid_dump *dump,
		       struct mkv_cpu_sets *ret_cores,
		       struct mkv_cpu_sets *ret_packages, const char **ret_leaf,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);

enum mkv_cache_type { /* the numbers of CPUID */
		      MKV_CACHE_DATA = 1,
		      MKV_CACHE_INSTRUCTION = 2,
		      MKV_CACHE_UNIFIED = 3,
};
const char *mkv_cache_type_name(enum mkv_cache_type type);

/* One physical cache. */
struct mkv_cache_instance {
	unsigned level;
	enum mkv_cache_type type;
	uint64_t size_bytes;
	unsigned ways; /* 0: fully associative */
	unsigned line_bytes;
	struct mkv_cpuset cpus; /* the CPUs that share it */
};
/* Ordered by level, type, first CPU. */
struct mkv_cache_list {
	struct mkv_cache_instance *items;
	size_t count;
	bool sharing_known; /* false: `cpus` has one CPU each */
};
void mkv_cache_list_done(struct mkv_cache_list *list) mkv_nonnull(1);
#define auto_cache_list __attribute__((cleanup(mkv_cache_list_done)))
/* Appends an instance. False: out of memory. */
bool mkv_cache_list_add(struct mkv_cache_list *list,
			const struct mkv_cache_instance *cache)
	mkv_nonnull(1, 2);
void mkv_cache_list_sort(struct mkv_cache_list *list) mkv_nonnull(1);

/* The caches by leaf 4 (Intel), 0x8000001D (AMD with topoext), else AMD's
 * 0x80000005 and 0x80000006, which have sizes but not the sharing CPUs.
 * `ret_leaf` names the leaf that was used. -ENODATA: no leaf has caches. */
int mkv_cpuid_caches(const struct mkv_cpuid_dump *dump,
		     struct mkv_cache_list *ret, const char **ret_leaf,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

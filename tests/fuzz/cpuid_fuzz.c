/* SPDX-License-Identifier: MIT */
/* Arbitrary CPUID registers: the resulting sets of CPUs are always partitions
 * of the CPUs in the input. */
#include "verify/probe/cpufacts.h"

static const char *const fuzz_seeds[] = {"tests/golden/cpuid/*.txt", NULL};
static const char *const fuzz_words[] = {"[Logical CPU #",
					 "CPUID 00000004: ",
					 "CPUID 8000001D: ",
					 "CPUID 0000000B: ",
					 "CPUID 0000001F: ",
					 "FFFFFFFF",
					 "00000000",
					 "[SL 00]",
					 "[SL 0F]",
					 "80000000",
					 "\n",
					 NULL};

#include "tests/fuzz/driver.h"

static void check_partition(const struct mkv_cpu_sets *sets, size_t cpus)
{
	size_t members = 0;
	for (size_t i = 0; i < sets->count; i++)
		members += mkv_cpuset_count(&sets->items[i]);
	if (members != cpus)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	auto_cpuid struct mkv_cpuid_dump *dump = NULL;
	if (mkv_cpuid_parse(size ? (const char *)data : "", size, &dump, &err) <
	    0)
		return 0;
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	auto_cache_list struct mkv_cache_list caches = {0};
	const char *leaf = NULL;
	for (size_t i = 0; i < dump->count; i++) {
		struct mkv_cpu_identity id;
		if (mkv_cpu_identify(&dump->cpus[i], &id) &&
		    mkv_cputext_read(id.brand, NULL, 0) > 48)
			abort();
		(void)mkv_cpu_feature(&dump->cpus[i], "avx2");
	}
	if (mkv_cpuid_topology(dump, &cores, &packages, &leaf, &err) == 0) {
		check_partition(&cores, dump->count);
		check_partition(&packages, dump->count);
	}
	if (mkv_cpuid_caches(dump, &caches, &leaf, &err) == 0)
		for (size_t i = 0; i < caches.count; i++)
			if (mkv_cpuset_count(&caches.items[i].cpus) == 0)
				abort();
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include "verify/probe/proc.h"

void mkv_check_memory(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_memory *memory = &env->image->memory;
	auto_free char *text = mkv_env_read(env, "/proc/meminfo");
	int64_t total = text ? mkv_proc_kib(text, "MemTotal") : -1;
	int64_t promised = (int64_t)memory->bytes;
	char expected[96], observed[48];
	(void)snprintf(expected, sizeof(expected),
		       "%lld MiB installed, less what the kernel reserves",
		       (long long)(promised >> 20));
	(void)snprintf(observed, sizeof(observed), "%lld MiB",
		       (long long)(total >> 20));
	mkv_answer_add(answer,
		       !promised   ? MKV_NOT_PROMISED
		       : total < 0 ? MKV_NOT_ESTABLISHED
		       : mkv_proc_memory_fits(promised, total) ? MKV_PASS
							       : MKV_FAIL,
		       "size", "/proc/meminfo MemTotal",
		       promised ? expected : NULL, total < 0 ? NULL : observed);

	struct mkv_cpuset nodes;
	int64_t count = -1;
	if (mkv_env_read_cpus(env, &nodes, "/sys/devices/system/node/online"))
		count = mkv_cpuset_count(&nodes);
	mkv_answer_number(
		answer, "NUMA nodes", "/sys/devices/system/node/online",
		memory->numa_nodes ? (int64_t)memory->numa_nodes : -1, count);
}

void mkv_check_huge_pages(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_memory *memory = &env->image->memory;
	uint64_t kib = memory->huge_page_bytes >> 10;
	if (memory->huge_pages >= 0 && kib == 0) {
		/* A contract without a size promises no huge pages at all. */
		int64_t pages =
			mkv_env_read_number(env, "/proc/sys/vm/nr_hugepages");
		mkv_answer_number(answer, "huge pages",
				  "/proc/sys/vm/nr_hugepages",
				  memory->huge_pages, pages);
		return;
	}
	if (!memory->promised || memory->huge_pages < 0)
		return;
	char source[96];
	(void)snprintf(source, sizeof(source),
		       "/sys/kernel/mm/hugepages/hugepages-%llukB/nr_hugepages",
		       (unsigned long long)kib);
	mkv_answer_number(answer, "huge pages", source, memory->huge_pages,
			  mkv_env_read_number(env, "%s", source));
}

/* SPDX-License-Identifier: MIT */
/* The check guest-memory, on a hypervisor: the memory of each guest. The
 * definition has the requested memory, the kernel the memory of the process. */
#include "verify/check/checks.h"

#include <string.h>

#include "verify/check/guest.h"
#include "verify/probe/proc.h"

/* The value of <memory unit='KiB'>N</memory>; libvirt's output has this unit.
 * -1: none. */
static int64_t read_kib(const struct mkv_xml_node *definition, const char *path)
{
	const char *unit = mkv_xml_attribute(definition, path, "unit");
	if (!unit || strcmp(unit, "KiB") != 0)
		return -1;
	return mkv_xml_number(mkv_xml_text(definition, path));
}

static void compare_definition(const struct mkv_guest_findings *q,
			       const struct mkv_domain *domain)
{
	const struct mkv_contract_hypervisor *hv = &q->guest->hypervisor;
	const struct mkv_xml_node *backing =
		mkv_xml_find(domain->definition, "memoryBacking");
	int64_t size = (int64_t)hv->memory_bytes / 1024;
	mkv_domain_number(q, "KiB", MKV_DOMAINS_SOURCE, size,
			  read_kib(domain->definition, "memory"));
	mkv_domain_number(q, "KiB now", MKV_DOMAINS_SOURCE, size,
			  read_kib(domain->definition, "currentMemory"));
	/* All pages are allocated before the guest starts; none is merged. */
	mkv_domain_compare(
		q, "allocation", MKV_DOMAINS_SOURCE, "immediate",
		mkv_domain_attribute(backing, "allocation", "mode", "not set"));
	mkv_domain_compare(q, "merging", MKV_DOMAINS_SOURCE, "nosharepages",
			   mkv_xml_find(backing, "nosharepages")
				   ? "nosharepages"
				   : "not forbidden");
	const char *page = mkv_xml_attribute(backing, "hugepages/page", "size");
	mkv_domain_number(q, "KiB of a huge page", MKV_DOMAINS_SOURCE,
			  (int64_t)hv->huge_page_bytes / 1024,
			  page ? mkv_xml_number(page)
			  : mkv_xml_find(backing, "hugepages") ? -1
							       : 0);
}

/* The huge pages of this size that are in use on the whole machine, in KiB; -1:
 * unknown. */
static int64_t read_pool_kib(const struct mkv_env *env, uint64_t page_kib)
{
	const char *format = "/sys/kernel/mm/hugepages/hugepages-%llukB/%s";
	unsigned long long size = page_kib;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	int64_t all = mkv_env_read_number(env, format, size, "nr_hugepages");
	int64_t left = mkv_env_read_number(env, format, size, "free_hugepages");
#pragma GCC diagnostic pop
	return all < 0 || left < 0 || left > all
		       ? -1
		       : (all - left) * (int64_t)page_kib;
}

static void compare_minimum(const struct mkv_guest_findings *q,
			    const char *what, const char *source, int64_t least,
			    int64_t kibibytes)
{
	char name[96], expected[64];
	(void)snprintf(expected, sizeof(expected), "at least %lld KiB",
		       (long long)least);
	if (kibibytes < 0)
		mkv_answer_add(q->answer, MKV_NOT_ESTABLISHED,
			       mkv_domain_what(q->guest, what, name), source,
			       expected, NULL);
	else
		mkv_answer_say(q->answer,
			       kibibytes >= least ? MKV_PASS : MKV_FAIL,
			       mkv_domain_what(q->guest, what, name), source,
			       expected, "%lld KiB", (long long)kibibytes);
}

static void compare_memory(const struct mkv_env *env,
			   const struct mkv_contract_host *guest,
			   const struct mkv_domain *domain,
			   struct mkv_answer *answer)
{
	static const char status_file[] = "/proc/PID/status";
	const struct mkv_contract_hypervisor *hv = &guest->hypervisor;
	const struct mkv_guest_findings q = {answer, guest};
	compare_definition(&q, domain);
	bool known = domain->pid >= 0 && mkv_domain_is_process(env, domain);
	auto_free char *status = known ? mkv_env_read(env, "/proc/%lld/status",
						      (long long)domain->pid)
				       : NULL;
	auto_free char *ksm = known ? mkv_env_read(env, "/proc/%lld/ksm_stat",
						   (long long)domain->pid)
				    : NULL;
	int64_t huge = mkv_proc_kib(status, "HugetlbPages");
	int64_t size = (int64_t)hv->memory_bytes / 1024;
	if (hv->huge_page_bytes) {
		compare_minimum(&q, "in huge pages", status_file, size,
				huge < 0 ? -1 : huge / 1024);
		compare_minimum(&q, "huge pages in use",
				"/sys/kernel/mm/hugepages", size,
				read_pool_kib(env, hv->huge_page_bytes / 1024));
	} else {
		mkv_domain_number(&q, "bytes in huge pages", status_file, 0,
				  huge);
	}
	mkv_domain_number(&q, "bytes swapped", status_file, 0,
			  mkv_proc_kib(status, "VmSwap"));
	const char *merging = ksm ? strstr(ksm, "ksm_merging_pages ") : NULL;
	/* Kernels before 6.1 lack ksm_stat; the check `ksm` and the definition
	 * remain. */
	if (merging)
		mkv_domain_compare(
			&q, "merged pages", "/proc/PID/ksm_stat", "0",
			strncmp(merging + 18, "0", 1) == 0 ? "0" : "some");
}

void mkv_check_guest_memory(const struct mkv_env *env,
			    struct mkv_answer *answer)
{
	mkv_domains_compare(env, answer, compare_memory);
}

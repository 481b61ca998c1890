/* SPDX-License-Identifier: MIT */
/* The check guests, on a hypervisor: the promised domains run, and no other
 * virtual machine. */
#include "verify/check/checks.h"

#include <string.h>

#include "verify/check/guest.h"
#include "verify/probe/proc.h"

static void compare_running(const struct mkv_env *env,
			    const struct mkv_contract_host *guest,
			    const struct mkv_domain *domain,
			    struct mkv_answer *answer)
{
	const struct mkv_guest_findings q = {answer, guest};
	mkv_domain_compare(&q, "domain", MKV_DOMAINS_SOURCE,
			   guest->hypervisor.domain, domain->name);
	mkv_domain_compare(&q, "type", MKV_DOMAINS_SOURCE,
			   mkv_domain_is_emulated(env, guest) ? "qemu" : "kvm",
			   mkv_xml_attribute(domain->definition, "", "type"));
	mkv_domain_compare(&q, "state", MKV_DOMAINS_SOURCE, "running",
			   mkv_xml_attribute(domain->status, "", "state"));
	mkv_domain_compare(
		&q, "process", "/proc/*/cmdline", "QEMU with its UUID",
		domain->pid < 0			     ? NULL
		: mkv_domain_is_process(env, domain) ? "QEMU with its UUID"
		: mkv_domain_has_ended(env, domain)  ? NULL
						     : "another process");
}

struct others {
	const struct mkv_domains *domains;
	const struct mkv_env *env;
	struct mkv_buf names;
};

static bool is_promised_domain(const struct mkv_env *env, const char *uuid)
{
	for (size_t i = 0; i < env->host->guests.count; i++) {
		const struct mkv_contract_host *guest = mkv_contract_find_host(
			env->contract, env->host->guests.items[i]);
		if (guest && guest->hypervisor.promised &&
		    strcasecmp(guest->hypervisor.uuid, uuid) == 0)
			return true;
	}
	return false;
}

/* True for the process that libvirt has recorded for a promised guest, or for
 * one with its UUID that libvirt has started but not recorded yet. */
static bool is_promised_process(const struct others *others, int64_t pid)
{
	const struct mkv_env *env = others->env;
	for (size_t i = 0; i < env->host->guests.count; i++) {
		const struct mkv_contract_host *guest = mkv_contract_find_host(
			env->contract, env->host->guests.items[i]);
		if (!guest || !guest->hypervisor.promised)
			continue;
		const struct mkv_domain *domain = mkv_domains_find(
			others->domains, guest->hypervisor.uuid);
		if (domain && domain->pid >= 0
			    ? domain->pid == pid
			    : mkv_proc_has_argument(env, pid, "-uuid",
						    guest->hypervisor.uuid))
			return true;
	}
	return false;
}

static void note_machine(const struct mkv_proc *process, void *context)
{
	static const char *const machines[] = {
		"qemu-system-", "kvm",	      "cloud-hyperviso", "firecracker",
		"VBoxHeadless", "vmware-vmx", "crosvm",
	};
	struct others *others = context;
	bool machine = false;
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		size_t length = strlen(machines[i]);
		bool prefix = machines[i][length - 1] == '-';
		machine = machine ||
			  (prefix ? strncmp(process->name, machines[i],
					    length) == 0
				  : strcmp(process->name, machines[i]) == 0);
	}
	if (!machine || is_promised_process(others, process->pid))
		return;
	/* libvirt starts QEMU without a machine to query its capabilities. */
	bool idle = mkv_proc_has_argument(others->env, process->pid, "-machine",
					  "none");
	if (!idle && others->names.size < 512)
		mkv_buf_printf(&others->names, "%s%s (process %lld)",
			       others->names.size ? ", " : "", process->name,
			       (long long)process->pid);
}

void mkv_check_guests(const struct mkv_env *env, struct mkv_answer *answer)
{
	if (env->image->platform != MKV_PLATFORM_HYPERVISOR ||
	    !env->host->guests.count)
		return;
	auto_domains struct mkv_domains domains = {0};
	mkv_domains_compare(env, answer, compare_running);
	mkv_domains_read(env, &domains);
	if (!domains.is_whole)
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "domains",
			       MKV_DOMAINS_SOURCE, "readable", NULL);
	for (size_t i = 0; i < domains.count; i++)
		if (!is_promised_domain(env, domains.items[i].uuid))
			mkv_answer_add(answer, MKV_FAIL, "another domain",
				       MKV_DOMAINS_SOURCE, "none",
				       domains.items[i].name);
	struct others others = {&domains, env, {0}};
	bool known = mkv_proc_each(env, note_machine, &others);
	mkv_answer_compare(answer, "other virtual machines", "/proc/*/comm",
			   "none",
			   !known || others.names.failed ? NULL
			   : others.names.size		 ? others.names.data
							 : "none");
	mkv_buf_done(&others.names);
}

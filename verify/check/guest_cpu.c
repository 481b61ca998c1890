/* SPDX-License-Identifier: MIT */
/* The check guest-cpu, on a hypervisor: the virtual CPU of each guest. */
#include "verify/check/checks.h"

#include <string.h>

#include "verify/check/guest.h"

static void compare_features(const struct mkv_guest_findings *q,
			     const struct mkv_xml_node *cpu)
{
	const struct mkv_contract_strings *wanted =
		&q->guest->hypervisor.cpu.features;
	for (size_t i = 0; i < wanted->count; i++) {
		const char *name = wanted->items[i];
		bool off = name[0] == '-';
		char what[64];
		name += off || name[0] == '+';
		(void)snprintf(what, sizeof(what), "feature %.40s", name);
		const struct mkv_xml_node *feature =
			mkv_xml_find(cpu, "feature");
		while (feature &&
		       strcmp(mkv_domain_attribute(feature, "", "name", ""),
			      name) != 0)
			feature = mkv_xml_next(feature);
		const char *policy =
			mkv_domain_attribute(feature, "", "policy", "not set");
		if (strcmp(policy, "force") == 0)
			policy = "require";
		if (strcmp(policy, "forbid") == 0)
			policy = "disable";
		mkv_domain_compare(q, what, MKV_DOMAINS_SOURCE,
				   off ? "disable" : "require", policy);
	}
}

static void compare_cpu(const struct mkv_env *env,
			const struct mkv_contract_host *guest,
			const struct mkv_domain *domain,
			struct mkv_answer *answer)
{
	const struct mkv_contract_hypervisor *hv = &guest->hypervisor;
	const struct mkv_xml_node *cpu =
		mkv_xml_find(domain->definition, "cpu");
	const struct mkv_guest_findings q = {answer, guest};
	bool model = strcmp(hv->cpu.mode, "host-model") == 0;
	(void)env;
	/* At the start libvirt replaces host-model by a custom model in the
	 * definition, and keeps the requested mode in <domstatus>. */
	mkv_domain_compare(
		&q, "mode", MKV_DOMAINS_SOURCE, hv->cpu.mode,
		mkv_xml_attribute(model ? domain->status : domain->definition,
				  "cpu", "mode"));
	if (hv->cpu.model)
		mkv_domain_compare(&q, "model", MKV_DOMAINS_SOURCE,
				   hv->cpu.model, mkv_xml_text(cpu, "model"));
	if (hv->cpu.migratable >= 0)
		mkv_domain_compare(
			&q, "migratable", MKV_DOMAINS_SOURCE,
			hv->cpu.migratable ? "on" : "off",
			mkv_domain_attribute(cpu, "", "migratable", "on"));
	compare_features(&q, cpu);
	mkv_domain_number(&q, "CPUs", MKV_DOMAINS_SOURCE,
			  (int64_t)hv->cpu.sockets * hv->cpu.dies *
				  hv->cpu.cores * hv->cpu.threads,
			  mkv_xml_number(mkv_domain_attribute(
				  domain->definition, "vcpu", "current",
				  mkv_xml_text(domain->definition, "vcpu"))));
	const struct {
		const char *name;
		unsigned promised;
	} levels[] = {
		{"sockets", hv->cpu.sockets},
		{"dies", hv->cpu.dies},
		{"cores", hv->cpu.cores},
		{"threads", hv->cpu.threads},
	};
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		mkv_domain_number(&q, levels[i].name, MKV_DOMAINS_SOURCE,
				  levels[i].promised,
				  mkv_xml_number(mkv_xml_attribute(
					  cpu, "topology", levels[i].name)));
	mkv_domain_compare(
		&q, "caches", MKV_DOMAINS_SOURCE, hv->cpu.caches,
		mkv_domain_attribute(cpu, "cache", "mode", "not set"));
}

void mkv_check_guest_cpu(const struct mkv_env *env, struct mkv_answer *answer)
{
	mkv_domains_compare(env, answer, compare_cpu);
}

/* SPDX-License-Identifier: MIT */
#include "verify/check/guest.h"

#include <string.h>

const char *mkv_domain_what(const struct mkv_contract_host *guest,
			    const char *what, char ret[static 96])
{
	(void)snprintf(ret, 96, "%.40s: %.50s", guest->name, what);
	return ret;
}

/* True between libvirt's start and stop of the domain: its status file exists
 * longer, while memory is allocated or freed. */
static bool is_started(const struct mkv_domain *domain)
{
	const char *state =
		mkv_domain_attribute(domain->status, "", "state", "unknown");
	const char *reason =
		mkv_domain_attribute(domain->status, "", "reason", "");
	return strcmp(state, "shutdown") != 0 &&
	       strcmp(state, "shutoff") != 0 &&
	       !(strcmp(state, "paused") == 0 &&
		 strcmp(reason, "starting up") == 0);
}

void mkv_domains_compare(const struct mkv_env *env, struct mkv_answer *answer,
			 void (*compare)(const struct mkv_env *env,
					 const struct mkv_contract_host *guest,
					 const struct mkv_domain *domain,
					 struct mkv_answer *answer))
{
	const struct mkv_contract_strings *guests = &env->host->guests;
	auto_domains struct mkv_domains domains = {0};
	if (guests->count)
		mkv_domains_read(env, &domains);
	for (size_t i = 0; i < guests->count; i++) {
		const struct mkv_contract_host *guest =
			mkv_contract_find_host(env->contract, guests->items[i]);
		if (!guest || !guest->hypervisor.promised)
			continue;
		const struct mkv_domain *domain =
			mkv_domains_find(&domains, guest->hypervisor.uuid);
		char what[96];
		if (domain && is_started(domain))
			compare(env, guest, domain, answer);
		else
			mkv_answer_add(answer,
				       env->unattended && domains.is_whole
					       ? MKV_NOT_PROMISED
					       : MKV_NOT_ESTABLISHED,
				       mkv_domain_what(guest, "domain", what),
				       "/run/libvirt/qemu",
				       guest->hypervisor.domain,
				       domains.is_whole ? "not running" : NULL);
	}
}

void mkv_domain_compare(const struct mkv_guest_findings *question,
			const char *what, const char *source,
			const char *expected, const char *observed)
{
	char name[96];
	(void)mkv_answer_compare(question->answer,
				 mkv_domain_what(question->guest, what, name),
				 source, expected, observed);
}

void mkv_domain_number(const struct mkv_guest_findings *question,
		       const char *what, const char *source, int64_t expected,
		       int64_t observed)
{
	char name[96];
	(void)mkv_answer_number(question->answer,
				mkv_domain_what(question->guest, what, name),
				source, expected, observed);
}

bool mkv_domain_is_emulated(const struct mkv_env *env,
			    const struct mkv_contract_host *guest)
{
	const struct mkv_contract_image *image =
		mkv_contract_find_image(env->contract, guest->image);
	return image && image->cpu.hypervisor_signature &&
	       strncmp(image->cpu.hypervisor_signature, "TCG", 3) == 0;
}

/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the checks of a hypervisor's guests. */

#include "verify/check/check.h"
#include "verify/probe/domains.h"

/* Calls `compare` for each running guest that the contract places on this host.
 * A guest that does not run is recorded as not promised in an unattended run,
 * because the host must pass before its guests start; otherwise it is not
 * established. */
void mkv_domains_compare(const struct mkv_env *env, struct mkv_answer *answer,
			 void (*compare)(const struct mkv_env *env,
					 const struct mkv_contract_host *guest,
					 const struct mkv_domain *domain,
					 struct mkv_answer *answer))
	mkv_nonnull(1, 2, 3);
/* Findings about one guest: "order: mode". */
struct mkv_guest_findings {
	struct mkv_answer *answer;
	const struct mkv_contract_host *guest;
};
const char *mkv_domain_what(const struct mkv_contract_host *guest,
			    const char *what, char ret[static 96]);
void mkv_domain_compare(const struct mkv_guest_findings *question,
			const char *what, const char *source,
			const char *expected, const char *observed)
	mkv_nonnull(1, 2, 3);
void mkv_domain_number(const struct mkv_guest_findings *question,
		       const char *what, const char *source, int64_t expected,
		       int64_t observed) mkv_nonnull(1, 2, 3);
/* True when the contract has the guest run without KVM: its image promises
 * TCG's hypervisor signature. */
bool mkv_domain_is_emulated(const struct mkv_env *env,
			    const struct mkv_contract_host *guest)
	mkv_nonnull(1, 2);

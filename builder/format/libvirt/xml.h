/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes libvirt's definitions of an appliance (libvirt documentation,
 * formatdomain and formatnetwork) from its contract alone: one network, the
 * hypervisor host's bridge on the VLAN, and one domain for each host that is a
 * guest. All settings that affect a measurement are explicit, not libvirt's
 * defaults: CPU, topology, caches, pinning, memory, I/O, queues. */

#include "lib/buf.h"
#include "lib/contract.h"

/* Appends the network to `into`. A contract without guests is -EINVAL. */
int mkv_libvirt_network_xml(const struct mkv_contract *contract,
			    struct mkv_buf *into,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Appends the domain of a host of the contract to `into`. A host without a
 * domain or a MAC address is -EINVAL. */
int mkv_libvirt_domain_xml(const struct mkv_contract *contract,
			   const struct mkv_contract_host *host,
			   struct mkv_buf *into,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

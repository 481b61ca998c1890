/* SPDX-License-Identifier: MIT */
#pragma once
/* libvirt's definitions of an appliance (libvirt documentation, formatdomain
 * and formatnetwork), from its contract alone: one network that is the
 * hypervisor's bridge on the VLAN, one domain a host that is a guest. Nothing
 * is left to libvirt's defaults that a benchmark could feel: CPU, topology,
 * caches, pinning, memory, I/O, queues. */

#include "lib/buf.h"
#include "lib/contract.h"

/* The contract must have a guest. */
int mkv_libvirt_network_xml(const struct mkv_contract *contract,
			    struct mkv_buf *into,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The host must be one of the contract, with a domain and a MAC address. */
int mkv_libvirt_domain_xml(const struct mkv_contract *contract,
			   const struct mkv_contract_host *host,
			   struct mkv_buf *into,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* libvirt's definitions of an appliance (libvirt documentation, formatdomain and
 * formatnetwork): one network that is the hypervisor's bridge on the VLAN, one
 * domain a host that is a guest. Nothing is left to libvirt's defaults that a
 * benchmark could feel: CPU, topology, caches, pinning, memory, I/O, queues. */

#include "builder/recipe/recipe.h"
#include "lib/buf.h"

/* Where a domain expects its disk; import puts it there or elsewhere. */
#define MKV_LIBVIRT_DISKS "/var/lib/libvirt/images/mkvbench"

int mkv_libvirt_network_xml(const struct mkv_recipe *recipe,
			    struct mkv_buf *into, struct mkv_error *err)
	mkv_must_check mkv_nonnull(1, 2, 3);
/* The host must be one whose image is a guest's. `uuid` is its libvirt and DMI
 * id. */
int mkv_libvirt_domain_xml(const struct mkv_recipe *recipe,
			   const struct mkv_host *host,
			   const uint8_t uuid[static 16], struct mkv_buf *into,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);

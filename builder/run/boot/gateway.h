/* SPDX-License-Identifier: MIT */
#pragma once
/* A way from this machine to the hosts' private network: QEMU's user network
 * without a machine, at the network's wire for it. It takes a free address of
 * the VLAN and carries connections from ports of 127.0.0.1 to hosts; hosts can
 * begin nothing through it. */

#include "builder/core/host/child.h"
#include "builder/run/boot/network.h"
#include "lib/contract.h"

struct mkv_forward {
	const struct mkv_contract_host *host;
	unsigned port;	/* of the host */
	unsigned local; /* of 127.0.0.1; set by mkv_gateway_start() */
};

/* Returns once the ports of 127.0.0.1 listen: the kernel chooses them as QEMU
 * binds them, so that no two gateways get the same. What QEMU says goes to
 * `log_fd`. */
int mkv_gateway_start(const struct mkv_contract *contract,
		      const struct mkv_network *network,
		      struct mkv_forward *forwards, size_t count, int log_fd,
		      struct mkv_child *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 6, 7);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Forwards TCP ports of 127.0.0.1 to hosts on their private network: a QEMU
 * without a machine runs its user network on the gateway's socket of that
 * network, with a free address of the VLAN. Hosts cannot open connections
 * through the gateway. */

#include "builder/core/host/child.h"
#include "builder/run/boot/network.h"
#include "lib/contract.h"

struct mkv_forward {
	const struct mkv_contract_host *host;
	unsigned port;	/* of the host */
	unsigned local; /* of 127.0.0.1; set by mkv_gateway_start() */
};

/* Returns once the ports of 127.0.0.1 accept connections. The kernel chooses
 * them when QEMU binds, so two gateways never share a port. QEMU's output goes
 * to `log_fd`. */
int mkv_gateway_start(const struct mkv_contract *contract,
		      const struct mkv_network *network,
		      struct mkv_forward *forwards, size_t count, int log_fd,
		      struct mkv_child *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 6, 7);

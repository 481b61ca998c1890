/* SPDX-License-Identifier: MIT */
#pragma once
/* The hosts' private network: multicast groups on 127.0.0.1 that QEMU's
 * `socket` network cards join, one Ethernet frame a datagram. Machines have the
 * VLAN's tag on their frames; guests don't, since their hypervisor's bridge
 * takes it off. So there is a trunk for machines, an access segment for guests,
 * and where both are, a thread that stands in for the bridge (IEEE
 * 802.1Q-2018, 9.6). The same thread can join a gateway: it hears only what is
 * sent to it, and who looks for whom (ARP). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* Never routed: all sockets are bound to the loopback interface. */
#define MKV_NETWORK_GROUP "230.0.0.1"

enum { MKV_FRAME_MOST_BYTES = 65536 };

struct mkv_network;
/* `vlan_id` 0: nothing is tagged, both segments are the same. */
int mkv_network_open(unsigned vlan_id, bool has_gateway,
		     struct mkv_network **ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
void mkv_network_free(struct mkv_network *network);
MKV_DEFINE_AUTO(network, struct mkv_network *, mkv_network_free)
#define auto_network mkv_auto(network)

enum mkv_segment { MKV_SEGMENT_TRUNK, MKV_SEGMENT_ACCESS };
/* The UDP port of a segment's group; nobody else gets it meanwhile. */
unsigned mkv_network_port(const struct mkv_network *network,
			  enum mkv_segment segment) mkv_nonnull(1);

/* The gateway's end of its wire, a frame a datagram: a UDP socket, connected to
 * ours, which hears nobody else. -1 without a gateway. It is the network's. */
int mkv_network_gateway_fd(const struct mkv_network *network) mkv_nonnull(1);

/* What the bridge does to a frame on its way: each returns the new length, or 0
 * for a frame that doesn't pass. The buffer has room for four bytes more. */
size_t mkv_frame_untag(uint8_t *frame, size_t length, unsigned vlan_id)
	mkv_nonnull(1);
size_t mkv_frame_tag(uint8_t *frame, size_t length, unsigned vlan_id)
	mkv_nonnull(1);

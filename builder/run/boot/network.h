/* SPDX-License-Identifier: MIT */
#pragma once
/* The hosts' private network: multicast groups on 127.0.0.1 that QEMU's
 * `socket` network cards join, with one Ethernet frame per datagram. Machines
 * tag their frames with the VLAN; guests do not, because their hypervisor's
 * bridge removes the tag. Machines are on a trunk segment, guests on an access
 * segment. If both exist, a thread replaces the bridge (IEEE 802.1Q-2018, 9.6).
 * The thread can also connect a gateway, which receives only frames addressed
 * to it and broadcast ARP frames. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* Never routed: all sockets are bound to the loopback interface. */
#define MKV_NETWORK_GROUP "230.0.0.1"

enum { MKV_FRAME_MAX_BYTES = 65536 };

struct mkv_network;
/* `vlan_id` 0: no frame is tagged and both segments are one group. */
int mkv_network_open(unsigned vlan_id, bool has_gateway,
		     struct mkv_network **ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
void mkv_network_free(struct mkv_network *network);
MKV_DEFINE_AUTO(network, struct mkv_network *, mkv_network_free)
#define auto_network mkv_auto(network)

enum mkv_segment { MKV_SEGMENT_TRUNK, MKV_SEGMENT_ACCESS };
/* The UDP port of a segment's group, reserved while the network exists. */
unsigned mkv_network_port(const struct mkv_network *network,
			  enum mkv_segment segment) mkv_nonnull(1);

/* The socket for the gateway's QEMU to inherit, with one frame per datagram: a
 * UDP socket connected to the bridge thread's. -1 without a gateway. The
 * network owns the descriptor. */
int mkv_network_gateway_fd(const struct mkv_network *network) mkv_nonnull(1);

/* Remove and add a frame's VLAN tag in place. Each returns the new length in
 * bytes, or 0 for a frame that the bridge drops. The buffer must have four
 * spare bytes. */
size_t mkv_frame_untag(uint8_t *frame, size_t length, unsigned vlan_id)
	mkv_nonnull(1);
size_t mkv_frame_tag(uint8_t *frame, size_t length, unsigned vlan_id)
	mkv_nonnull(1);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Bridges and their ports, by /sys/class/net/BRIDGE/brif/PORT. dockerd and
 * libvirt report the network that they configured; only the kernel shows
 * whether the card of a container or guest is still connected to it. */

#include "verify/check/check.h"

enum { MKV_INTERFACE_SIZE = 16 }; /* IFNAMSIZ, its NUL included */

/* True when the text can be the name of an interface, and is safe in a path. */
bool mkv_bridge_is_name(const char *name) mkv_nonnull(1);

/* Finds the host's end of the veth(4) pair whose other end, in the network
 * namespace of the process, has this MAC address. A pass writes its name to
 * `ret`; otherwise `ret_why` is the reason, a static text. */
enum mkv_result mkv_bridge_peer(const struct mkv_env *env, int64_t pid,
				const char *mac,
				char ret[static MKV_INTERFACE_SIZE],
				const char **ret_why) mkv_nonnull(1, 3, 4, 5);

/* Appends a finding: `port` is a port of the bridge and forwards. */
void mkv_bridge_check_port(const struct mkv_env *env, struct mkv_answer *answer,
			   const char *what, const char *bridge,
			   const char *port) mkv_nonnull(1, 2, 3, 4, 5);

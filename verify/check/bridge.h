/* SPDX-License-Identifier: MIT */
#pragma once
/* Bridges and their ports, as sysfs tells: /sys/class/net/BRIDGE/brif/PORT. A
 * container or a guest may have the right network by its manager's word, and
 * its card hang on nothing all the same. */

#include "verify/check/check.h"

enum { MKV_INTERFACE_SIZE = 16 }; /* IFNAMSIZ, its NUL included */

/* Whether it can be an interface's name, and no way out of a folder. */
bool mkv_bridge_is_name(const char *name) mkv_nonnull(1);

/* The machine's end of the veth(4) pair whose other end, inside the network of
 * the process, has this MAC address. A pass writes its name; a fail or a not
 * established says why in `ret_why`, a static text. */
enum mkv_result mkv_bridge_peer(const struct mkv_env *env, int64_t pid,
				const char *mac,
				char ret[static MKV_INTERFACE_SIZE],
				const char **ret_why) mkv_nonnull(1, 3, 4, 5);

/* Adds a finding: `port` is one of the bridge's, and forwards. */
void mkv_bridge_ask(const struct mkv_env *env, struct mkv_answer *answer,
		    const char *what, const char *bridge, const char *port)
	mkv_nonnull(1, 2, 3, 4, 5);

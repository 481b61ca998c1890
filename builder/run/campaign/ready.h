/* SPDX-License-Identifier: MIT */
#pragma once
/* Whether the hosts of an appliance may be measured. */

#include "builder/run/campaign/boots.h"
#include "lib/contract.h"

/* Appends what keeps a run from starting: "order: receipt 'fail', user: no
 * answer". Nothing is appended when every host's agent answers, its receipt has
 * passed, and it is in a boot that `used` lacks. `used` NULL: any boot will do.
 * Hosts that run guests may be absent: under emulation this machine takes their
 * place. */
void mkv_ready_print_obstacles(const struct mkv_contract *contract,
			       const struct mkv_state *state,
			       const struct mkv_boots *used,
			       struct mkv_buf *into) mkv_nonnull(1, 2, 4);

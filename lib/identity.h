/* SPDX-License-Identifier: MIT */
#pragma once
/* The experiment's identity as environment variables, for the programs of the
 * application. */

#include "lib/contract.h"

/* Appends "NAME=VALUE\n" lines: MKVBENCH_HOST, MKVBENCH_ROLE,
 * MKVBENCH_SCENARIO, MKVBENCH_CONTRACT (SHA-256 of the contract's bytes),
 * MKVBENCH_BOOT_ID, and for each host with an address MKVBENCH_ADDRESS_ROLE. */
void mkv_identity_print(const struct mkv_contract *contract,
			const struct mkv_contract_host *host,
			const char *contract_sha256, const char *boot_id,
			struct mkv_buf *into) mkv_nonnull(1, 2, 3, 4, 5);

/* Appends what tells this process from others to a reader of a lock file:
 * "process 4711 on 'host' (mkvbench run study.yaml)". Not for any output that
 * is to be reproduced. */
void mkv_identity_process(struct mkv_buf *into) mkv_nonnull(1);

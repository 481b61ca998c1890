/* SPDX-License-Identifier: MIT */
#pragma once
/* Networks, volumes and containers that the contract promises on this host,
 * managed through docker(1). Each step may be repeated: an object that exists
 * as promised is left alone. An object that differs is an error and is never
 * repaired, since a repair would hide what changed it. */

#include "lib/contract.h"

struct mkv_containers {
	const struct mkv_contract *contract;
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	const char *contract_sha256; /* resource attribute of the containers'
					spans */
	const char *boot_id;
};

/* Creates networks and volumes. Removes containers left by an earlier boot, so
 * that each boot starts from the images. */
int mkv_containers_prepare(const struct mkv_containers *what,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Starts the host's containers in the contract's order. */
int mkv_containers_start(const struct mkv_containers *what,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Stops the host's containers in the opposite order. */
int mkv_containers_stop(const struct mkv_containers *what,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Starts the host's containers that exited with a status other than 0: programs
 * that give up before a service that they need is available. */
int mkv_containers_revive(const struct mkv_containers *what,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

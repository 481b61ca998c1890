/* SPDX-License-Identifier: MIT */
#pragma once
/* What the contract asks of Docker on this host, done through docker(1). Each
 * step may be repeated: what is there already and right stays. What is there
 * and wrong is an error, never repaired: it would hide what changed it. */

#include "lib/contract.h"

struct mkv_containers {
	const struct mkv_contract *contract;
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	const char *contract_sha256; /* for the containers' tracing */
	const char *boot_id;
};

/* Networks and volumes; containers left by an earlier boot are removed, so that
 * each boot starts from the images. */
int mkv_containers_prepare(const struct mkv_containers *what,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Runs the host's containers, in the contract's order. */
int mkv_containers_start(const struct mkv_containers *what,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Stops them, in the opposite order. */
int mkv_containers_stop(const struct mkv_containers *what,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Of those that run here, starts again what ended otherwise than with status 0:
 * programs that give up before what they need is there. */
int mkv_containers_revive(const struct mkv_containers *what,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

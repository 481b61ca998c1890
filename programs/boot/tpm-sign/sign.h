/* SPDX-License-Identifier: MIT */
#pragma once
/* Commands to a TPM: its receipt key, and a quote signed by that key. */

#include "lib/quote.h"
#include "programs/boot/tpm-sign/channel.h"

/* Returns the public receipt key. The TPM derives the key from its endorsement
 * seed on each call, always with the same result, and stores nothing. */
int sign_key(struct channel *channel, struct mkv_tpm_key *ret,
	     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Signs a digest of a receipt together with the values of the PCRs. */
int sign_quote(struct channel *channel, const struct mkv_sha256 *receipt,
	       struct mkv_quote *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* What is asked of a TPM: its receipt key, and a quote by it. */

#include "lib/quote.h"
#include "programs/boot/tpm-sign/channel.h"

/* The key is made anew each time, always the same from the TPM's endorsement
 * seed; nothing stays in the TPM. */
int sign_key(struct channel *channel, struct mkv_tpm_key *ret,
	     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* All of *ret but `attest`. */
int sign_quote(struct channel *channel, const struct mkv_sha256 *receipt,
	       struct mkv_quote *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The machine's TPM, used through a separate program (programs/boot/tpm-sign),
 * so that the verifier links no TPM library and can limit the time. On an error
 * (no TPM, no such program in the image, no response) the message is the reason
 * that the receipt gives. */

#include "lib/quote.h"
#include "verify/probe/env.h"

#define MKV_TPM_SIGN_PATH "/usr/lib/mkvbench/tpm-sign"

/* Reads the key with which the TPM signs receipts. */
int mkv_tpm_read_key(const struct mkv_env *env, struct mkv_tpm_key *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Has the digest of a receipt signed and verifies the signature, whose text is
 * appended to `ret_document`. */
int mkv_tpm_sign(const struct mkv_env *env, const struct mkv_sha256 *receipt,
		 struct mkv_quote *ret, struct mkv_buf *ret_document,
		 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);

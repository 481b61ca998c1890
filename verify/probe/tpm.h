/* SPDX-License-Identifier: MIT */
#pragma once
/* The machine's TPM, asked through a program of its own
 * (programs/boot/tpm-sign), so that the verifier links nothing for it and
 * doesn't wait for it longer than it wants to. Where there is no TPM, or the
 * image has no such program, or it doesn't answer, the error's message is the
 * reason, for the receipt. */

#include "lib/quote.h"
#include "verify/probe/env.h"

#define MKV_TPM_SIGN_PATH "/usr/lib/mkvbench/tpm-sign"

/* The key with which the TPM signs receipts. */
int mkv_tpm_ask_key(const struct mkv_env *env, struct mkv_tpm_key *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Has a receipt's digest signed. The answer has been verified; `ret_document`
 * is its text. */
int mkv_tpm_sign(const struct mkv_env *env, const struct mkv_sha256 *receipt,
		 struct mkv_quote *ret, struct mkv_buf *ret_document,
		 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);

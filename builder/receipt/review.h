/* SPDX-License-Identifier: MIT */
#pragma once
/* A receipt, looked at off the machine that wrote it: does it fit the contract
 * it claims, does its verdict follow from its findings, and did it ask
 * everything that was promised? What it can't tell is whether somebody forged
 * it: receipts aren't signed (docs/VERIFICATION.md). */

#include "lib/contract.h"

struct mkv_receipt_review {
	char host[130], boot_id[64], phase[16], result[24];
	char **problems; /* a line each */
	size_t n_problems;
	bool failed; /* memory ran out */
};
void mkv_receipt_review_done(struct mkv_receipt_review *review) mkv_nonnull(1);
#define auto_receipt_review __attribute__((cleanup(mkv_receipt_review_done)))

/* `contract_sha256` is the digest of the contract's bytes, in hexadecimal. 0
 * when the receipt could be read, whatever is wrong with it; a receipt that
 * passes has no problems and the result "pass". Malformed: -EINVAL. */
int mkv_receipt_review(const struct mkv_contract *contract,
		       const char *contract_sha256, const char *receipt,
		       size_t size, struct mkv_receipt_review *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6);

/* SPDX-License-Identifier: MIT */
#pragma once
/* A receipt, looked at off the machine that wrote it: does it fit the contract
 * it claims, does its verdict follow from its findings, did it ask everything
 * that was promised, and did the TPM of the machine that the contract names
 * sign it (docs/ATTESTATIONS.md)? */

#include "lib/contract.h"
#include "lib/quote.h"

enum mkv_receipt_signature {
	MKV_RECEIPT_UNSIGNED,
	MKV_RECEIPT_UNKNOWN_KEY, /* holds, but nobody vouches for the key */
	MKV_RECEIPT_SIGNED,	 /* by the key that the contract names */
	MKV_RECEIPT_BROKEN_SIGNATURE,
};
/* "unsigned", "unknown-key", "signed", "broken" */
const char *mkv_receipt_signature_name(enum mkv_receipt_signature signature);

struct mkv_receipt_review {
	char host[130], boot_id[64], phase[16], result[24];
	bool says_signed;
	char unsigned_because[160];
	enum mkv_receipt_signature signature;
	char tpm_key[MKV_SHA256_HEX_SIZE]; /* with the two that hold */
	struct mkv_attest attest;
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

/* Looks at the signature beside a receipt that was reviewed; `document` is NULL
 * where there is none. An unsigned receipt is a problem only where the contract
 * names a key, and never a watch's: those leave the TPM alone. */
int mkv_receipt_review_signature(const struct mkv_contract *contract,
				 const char *receipt, size_t size,
				 const char *document, size_t document_size,
				 struct mkv_receipt_review *review,
				 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 6, 7);

/* Compares the files that a reviewed receipt names as evidence with those in
 * the folder; what isn't there is passed over. */
int mkv_receipt_review_evidence(const json_t *receipt, int dirfd,
				struct mkv_receipt_review *review,
				struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

/* Complains when a receipt.broken.json of the same boot, or one that can't be
 * read, lies in the folder; another boot's says nothing. */
int mkv_receipt_review_broken(int dirfd, struct mkv_receipt_review *review,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);

/* What a signed receipt says of its boot. */
struct mkv_receipt_boot {
	char tpm_key[MKV_SHA256_HEX_SIZE]; /* "": it isn't signed */
	uint32_t resets;
	char boot_id[64];
};
/* Each reset of a machine, which its TPM counts, is one boot of its kernel: a
 * receipt that says otherwise than those reviewed before has a problem. */
void mkv_receipt_review_boot(struct mkv_receipt_review *review,
			     struct mkv_receipt_boot *known, size_t count,
			     struct mkv_receipt_boot *ret) mkv_nonnull(1, 4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Reviews a receipt away from the machine that wrote it: whether it belongs to
 * the contract, its verdict follows from its findings, every promised check
 * ran, and the TPM that the contract names signed it (docs/ATTESTATIONS.md). */

#include "lib/contract.h"
#include "lib/quote.h"

enum mkv_receipt_signature {
	MKV_RECEIPT_UNSIGNED,
	MKV_RECEIPT_UNKNOWN_KEY, /* valid, but the contract names no key */
	MKV_RECEIPT_SIGNED,	 /* by the key that the contract names */
	MKV_RECEIPT_BROKEN_SIGNATURE,
};
/* "unsigned", "unknown-key", "signed", "broken" */
const char *mkv_receipt_signature_name(enum mkv_receipt_signature signature);

enum { MKV_RECEIPT_PROBLEMS_MAX = 200 };

struct mkv_receipt_review {
	char host[130], boot_id[64], phase[16], result[24];
	bool is_marked_signed;
	char unsigned_because[160];
	enum mkv_receipt_signature signature;
	char tpm_key[MKV_SHA256_HEX_SIZE]; /* of a valid signature */
	struct mkv_attest attest;
	char **problems; /* one line each, at most MKV_RECEIPT_PROBLEMS_MAX */
	size_t n_problems;
	size_t n_omitted; /* problems beyond those listed */
	bool failed;	  /* memory ran out */
};
void mkv_receipt_review_done(struct mkv_receipt_review *review) mkv_nonnull(1);
#define auto_receipt_review __attribute__((cleanup(mkv_receipt_review_done)))

/* `contract_sha256` is the digest of the contract's bytes, in hexadecimal. 0
 * when the receipt could be parsed, with or without problems; a receipt passes
 * when it has no problems and the result "pass". Malformed: -EINVAL. */
int mkv_receipt_review(const struct mkv_contract *contract,
		       const char *contract_sha256, const char *receipt,
		       size_t size, struct mkv_receipt_review *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6);

/* Verifies the signature of a reviewed receipt; `document` is NULL for a
 * receipt without a signature file. An unsigned receipt is a problem only where
 * the contract names a key, and never in phase "watch", which doesn't use the
 * TPM. */
int mkv_receipt_review_signature(const struct mkv_contract *contract,
				 const char *receipt, size_t size,
				 const char *document, size_t document_size,
				 struct mkv_receipt_review *review,
				 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 6, 7);

/* Compares the files that a reviewed receipt names as evidence with those in
 * the directory; a missing file is not a problem. */
int mkv_receipt_review_evidence(const json_t *receipt, int dirfd,
				struct mkv_receipt_review *review,
				struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

/* Adds a problem when the directory holds a receipt.broken.json of this boot,
 * or an unreadable one; another boot's is ignored. */
int mkv_receipt_review_broken(int dirfd, struct mkv_receipt_review *review,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);

/* The boot of a signed receipt. */
struct mkv_receipt_boot {
	char tpm_key[MKV_SHA256_HEX_SIZE]; /* "": unsigned */
	uint32_t resets;
	char boot_id[64];
};
/* A TPM counts the resets of its machine, and each reset is one boot: adds a
 * problem when the receipt's reset and boot ID contradict those of receipts
 * that were reviewed before. */
int mkv_receipt_review_boot(struct mkv_receipt_review *review,
			    struct mkv_receipt_boot *known, size_t count,
			    struct mkv_receipt_boot *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/evidence/receipt/review_internal.h"
#include "lib/quote.h"

static void judge_key(struct mkv_receipt_review *review,
		      const struct mkv_quote *quote, const char *promised)
{
	mkv_sha256_hex(&quote->key.id, review->tpm_key);
	review->attest = quote->attest;
	if (!promised) {
		review->signature = MKV_RECEIPT_UNKNOWN_KEY;
		return;
	}
	if (strcmp(review->tpm_key, promised) == 0) {
		review->signature = MKV_RECEIPT_SIGNED;
		return;
	}
	mkv_receipt_add_problem(
		review,
		"signature: made by TPM key %s, but the contract "
		"names %s",
		review->tpm_key, promised);
}

static void judge_unsigned(struct mkv_receipt_review *review,
			   const char *document, const char *promised)
{
	review->signature = MKV_RECEIPT_UNSIGNED;
	if (document)
		mkv_receipt_add_problem(review,
					"signature: present, but the "
					"receipt is marked as unsigned");
	else if (promised && strcmp(review->phase, "watch") != 0)
		mkv_receipt_add_problem(
			review,
			"signature: missing (%s), but the contract names TPM "
			"key %s",
			review->unsigned_because, promised);
}

int mkv_receipt_review_signature(const struct mkv_contract *contract,
				 const char *receipt, size_t size,
				 const char *document, size_t document_size,
				 struct mkv_receipt_review *review,
				 struct mkv_error *err)
{
	const struct mkv_contract_host *host =
		mkv_contract_find_host(contract, review->host);
	const char *promised = host ? host->tpm_key : NULL;
	struct mkv_sha256 sha256;
	struct mkv_quote quote;
	struct mkv_error wrong;
	int rc = mkv_sha256_bytes(receipt, size, &sha256, err);
	if (rc < 0)
		return rc;
	review->signature = MKV_RECEIPT_BROKEN_SIGNATURE;
	if (!review->is_marked_signed)
		judge_unsigned(review, document, promised);
	else if (!document)
		mkv_receipt_add_problem(review, "signature: missing, but the "
						"receipt is marked as signed");
	else if (mkv_quote_parse(document, document_size, &quote, &wrong) < 0 ||
		 mkv_quote_verify(&quote, &sha256, &wrong) < 0)
		mkv_receipt_add_problem(review, "signature: %s", wrong.message);
	else
		judge_key(review, &quote, promised);
	return review->failed ? mkv_oom(err) : 0;
}

const char *mkv_receipt_signature_name(enum mkv_receipt_signature signature)
{
	switch (signature) {
	case MKV_RECEIPT_UNSIGNED:
		return "unsigned";
	case MKV_RECEIPT_UNKNOWN_KEY:
		return "unknown-key";
	case MKV_RECEIPT_SIGNED:
		return "signed";
	case MKV_RECEIPT_BROKEN_SIGNATURE:
		return "broken";
	}
	return "?";
}

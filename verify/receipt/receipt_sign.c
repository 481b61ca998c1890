/* SPDX-License-Identifier: MIT */
#include "verify/receipt/receipt.h"

#include "verify/probe/tpm.h"

int mkv_receipt_sign(struct mkv_receipt *receipt, struct mkv_buf *ret_json,
		     struct mkv_buf *ret_document, struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	struct mkv_quote quote;
	struct mkv_error why = {0};
	/* The signed JSON has "signed": true, so it is made before the
	 * signature, and made again when the TPM can't sign. */
	receipt->is_signed = true;
	int rc = mkv_receipt_json(receipt, ret_json, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(ret_json->data, ret_json->size, &sha256, err);
	if (rc < 0)
		return rc;
	if (mkv_tpm_sign(receipt->env, &sha256, &quote, ret_document, &why) ==
	    0) {
		mkv_sha256_hex(&quote.key.id, receipt->signer);
		return 0;
	}
	receipt->is_signed = false;
	(void)snprintf(receipt->unsigned_because,
		       sizeof(receipt->unsigned_because), "%s", why.message);
	mkv_buf_done(ret_json);
	mkv_buf_done(ret_document);
	*ret_json = *ret_document = (struct mkv_buf){0};
	return mkv_receipt_json(receipt, ret_json, err);
}

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/evidence/receipt/review_internal.h"

int mkv_receipt_review_boot(struct mkv_receipt_review *review,
			    struct mkv_receipt_boot *known, size_t count,
			    struct mkv_receipt_boot *ret, struct mkv_error *err)
{
	*ret = (struct mkv_receipt_boot){.resets = review->attest.resets};
	memcpy(ret->tpm_key, review->tpm_key, sizeof(ret->tpm_key));
	memcpy(ret->boot_id, review->boot_id, sizeof(ret->boot_id));
	for (size_t i = 0; ret->tpm_key[0] && i < count; i++) {
		bool same = strcmp(known[i].boot_id, ret->boot_id) == 0;
		if (strcmp(known[i].tpm_key, ret->tpm_key) != 0 ||
		    same == (known[i].resets == ret->resets))
			continue;
		mkv_receipt_add_problem(
			review,
			same ? "boot: boot ID %s belongs to reset %u of this "
			       "TPM in an earlier receipt"
			     : "boot: boot ID %s differs from that of reset %u "
			       "of this TPM in an earlier receipt",
			ret->boot_id, known[i].resets);
	}
	return review->failed ? mkv_oom(err) : 0;
}

/* SPDX-License-Identifier: MIT */
#pragma once
/* A guest's receipt and its machine's, which together say what neither can say
 * alone: that this boot of the guest ran in that domain, whose pins and pages
 * the machine looked at (docs/VERIFICATION.md, "A hypervisor and its guests").
 */

#include "builder/evidence/receipt/review.h"

enum mkv_tie {
	MKV_TIE_NONE,	/* no guest, or its machine isn't in the contract */
	MKV_TIE_ABSENT, /* no receipt of its machine is among these */
	MKV_TIE_BROKEN, /* there is, and it doesn't tie: a problem */
	MKV_TIED,
};

/* Looks among all `receipts`, documents that were reviewed, for the machine
 * that ran the one at `which`, and saw its processor, memory, devices and,
 * where they are promised, pins as they should be. `ret_with` is the index of
 * the one that ties; MKV_TIE_BROKEN adds why to the review's problems. */
enum mkv_tie mkv_receipt_tie(const struct mkv_contract *contract,
			     json_t *const *receipts, size_t count,
			     size_t which, struct mkv_receipt_review *review,
			     size_t *ret_with) mkv_nonnull(1, 2, 5, 6);

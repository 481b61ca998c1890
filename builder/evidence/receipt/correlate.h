/* SPDX-License-Identifier: MIT */
#pragma once
/* Correlates a guest's receipt with its hypervisor host's. Together they prove
 * what neither proves alone: that this boot of the guest ran in the domain
 * whose pins and pages the host checked (docs/VERIFICATION.md, "A hypervisor
 * and its guests"). */

#include "builder/evidence/receipt/review.h"

enum mkv_correlation {
	MKV_CORRELATION_NONE, /* not a guest, or the contract lacks its host */
	MKV_CORRELATION_ABSENT, /* no receipt of its host was given */
	MKV_CORRELATION_BROKEN, /* the host's receipts contradict it: a problem
				 */
	MKV_CORRELATED,
};

/* Searches `receipts`, reviewed documents, for one of the hypervisor host that
 * ran the guest of receipt `which` and whose checks of the guest's processor,
 * memory, devices and, where they are promised, pins passed. `ret_with` is set
 * only for MKV_CORRELATED, to the index of that receipt; MKV_CORRELATION_BROKEN
 * adds the first contradiction to the review's problems. */
int mkv_receipt_correlate(const struct mkv_contract *contract,
			  json_t *const *receipts, size_t count, size_t which,
			  struct mkv_receipt_review *review,
			  enum mkv_correlation *ret, size_t *ret_with,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 5, 6, 7, 8);

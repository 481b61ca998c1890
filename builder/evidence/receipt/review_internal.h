/* SPDX-License-Identifier: MIT */
#pragma once
#include "builder/evidence/receipt/review.h"

/* Adds a problem for each promised check without a result: of all checks, or in
 * phase "watch" of those that it runs. */
void mkv_receipt_require(struct mkv_receipt_review *review,
			 const json_t *receipt,
			 const struct mkv_contract *contract,
			 const struct mkv_contract_host *host,
			 const struct mkv_contract_image *image)
	mkv_nonnull(1, 3, 4, 5);
/* A check's row of a receipt, or NULL. Borrowed. */
const json_t *mkv_receipt_find_check(const json_t *receipt, const char *name)
	mkv_nonnull(2);

/* Adds a problem; counts it only when the list is full. */
void mkv_receipt_add_problem(struct mkv_receipt_review *review,
			     const char *format, ...) mkv_nonnull(1, 2)
	mkv_printf(2, 3);

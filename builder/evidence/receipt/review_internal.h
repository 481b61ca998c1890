/* SPDX-License-Identifier: MIT */
#pragma once
#include "builder/evidence/receipt/review.h"

/* The checks that the contract promises were asked: all, or those of a watch.
 */
void mkv_receipt_require(struct mkv_receipt_review *review,
			 const json_t *receipt,
			 const struct mkv_contract *contract,
			 const struct mkv_contract_host *host,
			 const struct mkv_contract_image *image)
	mkv_nonnull(1, 3, 4, 5);
/* A check's row of a receipt; NULL. */
const json_t *mkv_receipt_find_check(const json_t *receipt, const char *name)
	mkv_nonnull(2);

/* Adds a problem. */
void mkv_receipt_complain(struct mkv_receipt_review *review, const char *format,
			  ...) mkv_nonnull(1, 2) mkv_printf(2, 3);

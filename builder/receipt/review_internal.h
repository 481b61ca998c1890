/* SPDX-License-Identifier: MIT */
#pragma once
#include "builder/receipt/review.h"

/* The checks that the contract promises were asked: all, or those of a watch. */
void mkv_receipt_require(struct mkv_receipt_review *review,
			 const json_t *receipt,
			 const struct mkv_contract *contract,
			 const struct mkv_contract_host *host,
			 const struct mkv_contract_image *image)
	mkv_nonnull(1, 3, 4, 5);
/* The table behind it; NULL at its end. */
const char *mkv_receipt_promise(size_t index, bool *ret_watched)
	mkv_nonnull(2);
/* A check's row of a receipt; NULL. */
const json_t *mkv_receipt_find_check(const json_t *receipt, const char *name)
	mkv_nonnull(2);
/* Whether it is promised where a guest's threads run. */
bool mkv_receipt_is_pinned(const struct mkv_contract_host *guest)
	mkv_nonnull(1);

/* Adds a problem, or counts it where the list is full. */
void mkv_receipt_complain(struct mkv_receipt_review *review,
			  const char *format, ...) mkv_nonnull(1, 2)
	mkv_printf(2, 3);

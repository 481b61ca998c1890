/* SPDX-License-Identifier: MIT */
#pragma once
#include "builder/receipt/review.h"

/* Adds a problem. */
void mkv_receipt_complain(struct mkv_receipt_review *review,
			  const char *format, ...) mkv_nonnull(1, 2)
	mkv_printf(2, 3);

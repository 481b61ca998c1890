/* SPDX-License-Identifier: MIT */
#pragma once
/* The cumulative verification state of this boot, from the files of the runs so
 * far in the directory of the receipts. */

#include "verify/receipt/receipt.h"

struct mkv_standing {
	bool boot_passed; /* the receipt of the gate is a pass */
	bool is_broken;	  /* a later run broke that receipt */
	/* The watches so far, and those that established every check. */
	int64_t watches, established;
	double widest_bound_s; /* of the clock in all watches; NAN: none */
};

/* Reads all members but `is_broken`. Counts `receipt` in DIRECTORY/watches.json
 * if it is of a watch. */
int mkv_standing_update(const char *directory,
			const struct mkv_receipt *receipt,
			struct mkv_standing *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

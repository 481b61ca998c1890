/* SPDX-License-Identifier: MIT */
#pragma once
/* How a machine stands in this boot: what a single look can't say. The looks'
 * own files tell it, in the folder that they are written to. */

#include "verify/receipt/receipt.h"

struct mkv_standing {
	bool boot_passed; /* the gate's receipt of this boot says so */
	bool is_broken;	  /* a later look broke it */
	/* The watches so far, and how many could see everything well enough. */
	int64_t watches, established;
	double widest_bound_s; /* of the clock, in any of them; NAN */
};

/* Reads all but `is_broken` for a look that is just being written, and counts
 * it when it is a watch: FOLDER/watches.json. */
int mkv_standing_update(const char *folder, const struct mkv_receipt *receipt,
			struct mkv_standing *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

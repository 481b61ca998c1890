/* SPDX-License-Identifier: MIT */
#pragma once
/* For the files that write or read layers. */

#include "lib/error.h"

/* Opens a new file without a name in the directory `scratch`, for reading and
 * writing. The descriptor is the caller's. */
int mkv_oci_open_unnamed(const char *scratch, int *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

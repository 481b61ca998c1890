/* SPDX-License-Identifier: MIT */
#pragma once
/* Directories that only one boot may use at a time. */

#include "lib/error.h"

/* Locks an existing directory until `ret`, a descriptor of the directory, is
 * closed. -EBUSY while another boot holds the lock; `what` describes the
 * directory in that message ("the TPM in"). */
int mkv_boot_lock_directory(const char *directory, const char *what, int *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

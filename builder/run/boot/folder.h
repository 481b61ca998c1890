/* SPDX-License-Identifier: MIT */
#pragma once
/* Directories that one boot uses at a time. */

#include "lib/error.h"

/* Locks an existing directory until `ret`, a descriptor of it, is closed.
 * -EBUSY while another boot uses it; `what` names it then: "the TPM in". */
int mkv_boot_lock_folder(const char *folder, const char *what, int *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

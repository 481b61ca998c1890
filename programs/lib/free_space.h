/* SPDX-License-Identifier: MIT */
#pragma once
/* Reserves free space on a disk for other programs. */

#include <stdint.h>

#include "lib/error.h"

/* -ENOSPC when writing `size` more bytes would leave less than `spare_bytes`
 * free on the file system of `fd`. */
int mkv_free_space_check(int fd, uint64_t size, uint64_t spare_bytes,
			 struct mkv_error *err) mkv_must_check mkv_nonnull(4);

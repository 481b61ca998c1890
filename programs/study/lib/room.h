/* SPDX-License-Identifier: MIT */
#pragma once
/* How much of a disk stays free for others. */

#include <stdint.h>

#include "lib/error.h"

/* Whether `size` more bytes leave `spare_bytes` free on the file system of
 * `fd`; else -ENOSPC. */
int mkv_room_check(int fd, uint64_t size, uint64_t spare_bytes,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(4);

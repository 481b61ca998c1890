/* SPDX-License-Identifier: MIT */
#pragma once
/* Decodes .xz (tukaani, "The .xz File Format" 1.2.1), by liblzma. */

#include "lib/buf.h"

/* Appends what a whole .xz file holds. More than `limit_bytes` is -EFBIG; a
 * file that isn't .xz, is damaged or cut short is -EBADMSG. */
int mkv_xz_decode(const void *data, size_t size, size_t limit_bytes,
		  struct mkv_buf *into, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

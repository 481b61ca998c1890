/* SPDX-License-Identifier: MIT */
#pragma once
/* Decodes .xz files (tukaani.org, "The .xz File Format" 1.2.1) with liblzma. */

#include "lib/buf.h"

/* Appends the decoded content of a whole .xz file. More than `limit_bytes` is
 * -EFBIG; a file that is not .xz, damaged or truncated is -EBADMSG. */
int mkv_xz_decode(const void *data, size_t size, size_t limit_bytes,
		  struct mkv_buf *into, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Base64 as RFC 4648, section 4: the standard alphabet, padded, no white space.
 * Reading is strict: a text that the writer would not have written, such as one
 * with bits behind the end, is refused, so that equal bytes have one text. */

#include "lib/buf.h"

/* Appends the text of the bytes; a failure shows in mkv_buf_check(). */
void mkv_base64_write(const void *data, size_t size, struct mkv_buf *ret)
	mkv_nonnull(3);
/* Appends the bytes of the text; -EBADMSG when it isn't canonical. On failure
 * nothing is appended. */
int mkv_base64_read(const char *text, size_t length, struct mkv_buf *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);

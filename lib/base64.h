/* SPDX-License-Identifier: MIT */
#pragma once
/* Base64 (RFC 4648, section 4): the standard alphabet, padded, no white space.
 * Reading accepts only the canonical text of some bytes: unused bits after the
 * last byte, for instance, must be 0. */

#include "lib/buf.h"

/* Appends the text of the bytes. mkv_buf_check() reports a failure. */
void mkv_base64_write(const void *data, size_t size, struct mkv_buf *ret)
	mkv_nonnull(3);
/* Appends the bytes of the text. MKV_UNVERIFIED and -EBADMSG when the text is
 * not canonical. On failure nothing is appended. */
int mkv_base64_read(const char *text, size_t length, struct mkv_buf *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);

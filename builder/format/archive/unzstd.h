/* SPDX-License-Identifier: MIT */
#pragma once
/* Decodes Zstandard (RFC 8878) with libzstd as a stream, with bounded memory:
 * frames that need a window of more than 16 MiB are refused. */

#include "lib/buf.h"

struct mkv_unzstd;

/* Reads from the position of `fd`, which is borrowed. More than `limit_bytes`
 * of decoded data are -EFBIG. */
int mkv_unzstd_new(int fd, uint64_t limit_bytes, struct mkv_unzstd **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
void mkv_unzstd_free(struct mkv_unzstd *stream);
MKV_DEFINE_AUTO(unzstd, struct mkv_unzstd *, mkv_unzstd_free)
#define auto_unzstd mkv_auto(unzstd)

/* The next bytes, at least one and at most `size`, in *ret_size; 0 at the end
 * of the data. Data that is not valid, or that ends inside a frame, is
 * -EBADMSG. */
int mkv_unzstd_read(struct mkv_unzstd *stream, void *data, size_t size,
		    size_t *ret_size, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);

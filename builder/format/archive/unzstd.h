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

/* Takes from the front of `rest` what is complete. */
typedef int mkv_unzstd_take(struct mkv_buf *rest, void *context,
			    struct mkv_error *err);
/* Decodes all of `fd`: appends each part to `rest` and calls `take`. Afterwards
 * `rest` has what was never complete. */
int mkv_unzstd_each(int fd, uint64_t limit_bytes, mkv_unzstd_take *take,
		    void *context, struct mkv_buf *rest,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(3, 5, 6);

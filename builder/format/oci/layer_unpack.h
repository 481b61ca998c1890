/* SPDX-License-Identifier: MIT */
#pragma once
/* A layer's blob back to its tar stream, by libarchive. */

#include "lib/hash.h"

/* Unpacks all of `blob_fd`, from its beginning, as its media type says: OCI's
 * tar, tar+gzip or tar+zstd. The stream's digest and size are returned, and it
 * is written to `tar_fd`, at its position, unless that is -1. Another type, a
 * damaged blob or more than 64 GiB is MKV_UNVERIFIED. */
int mkv_oci_layer_unpack(int blob_fd, const char *media_type, int tar_fd,
			 struct mkv_sha256 *ret_diff_id,
			 uint64_t *ret_size_bytes,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 4, 5, 6);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Unpacks a layer's blob to its tar stream by libarchive. */

#include "lib/hash.h"

/* Unpacks all of `blob_fd`, from its beginning, by its media type: OCI's tar,
 * tar+gzip or tar+zstd. Returns the digest and the size of the tar stream and
 * writes the stream to `tar_fd` at its position, unless `tar_fd` is -1. Another
 * type, a damaged blob and a stream of more than 64 GiB are MKV_UNVERIFIED. */
int mkv_oci_layer_unpack(int blob_fd, const char *media_type, int tar_fd,
			 struct mkv_sha256 *ret_diff_id,
			 uint64_t *ret_size_bytes,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 4, 5, 6);

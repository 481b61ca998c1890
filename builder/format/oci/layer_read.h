/* SPDX-License-Identifier: MIT */
#pragma once
/* Reads a layer from its blob, as a registry serves it, into a tree. The blob
 * is untrusted input. */

#include "builder/format/oci/layer.h"

enum { MKV_OCI_LAYER_MAX_ENTRIES = 1000000 };

struct mkv_oci_read_layer {
	struct mkv_tree *tree; /* owned */
	struct mkv_oci_layer *layer;
};

/* `blob_fd`: the blob (tar, or tar compressed by gzip or zstd), whose digest
 * the caller has checked; taken over, also on failure. A stream whose digest is
 * not `diff_id` is MKV_UNVERIFIED. `media_type`: OCI's name of the blob's type;
 * a static string. */
int mkv_oci_layer_read(int blob_fd, const struct mkv_sha256 *digest,
		       const struct mkv_sha256 *diff_id, const char *media_type,
		       const char *scratch, struct mkv_oci_read_layer *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4, 5, 6, 7);
void mkv_oci_read_layer_done(struct mkv_oci_read_layer *read) mkv_nonnull(1);

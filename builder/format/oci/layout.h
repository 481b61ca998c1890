/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes an OCI image layout (image-spec 1.1, image-layout.md): blobs/sha256,
 * oci-layout, index.json with org.opencontainers.image.ref.name NAME:TAG,
 * sorted by it. A blob that images share is stored once. */

#include "builder/format/oci/image.h"

struct mkv_oci_layout;
/* `path` must not exist or be empty. It is the caller's to write beside its
 * place and rename. */
int mkv_oci_layout_new(const char *path, struct mkv_oci_layout **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
void mkv_oci_layout_free(struct mkv_oci_layout *layout);
MKV_DEFINE_AUTO(oci_layout, struct mkv_oci_layout *, mkv_oci_layout_free)
#define auto_oci_layout mkv_auto(oci_layout)

/* Writes the image's blobs, each fsynced. The same NAME:TAG twice is -EEXIST.
 */
int mkv_oci_layout_add(struct mkv_oci_layout *layout,
		       const struct mkv_oci_built *image,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Writes oci-layout and index.json, last. */
int mkv_oci_layout_finish(struct mkv_oci_layout *layout,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes an OCI image layout (image-spec 1.1, image-layout.md): blobs/sha256,
 * oci-layout, and index.json with org.opencontainers.image.ref.name NAME:TAG,
 * sorted by that name. A blob that images share is stored once. */

#include "builder/format/oci/image.h"

struct mkv_oci_layout;
/* The directory `path` must not exist or be empty. Files are placed without a
 * sync: the caller syncs and renames the directory as a whole. */
int mkv_oci_layout_new(const char *path, struct mkv_oci_layout **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
void mkv_oci_layout_free(struct mkv_oci_layout *layout);
MKV_DEFINE_AUTO(oci_layout, struct mkv_oci_layout *, mkv_oci_layout_free)
#define auto_oci_layout mkv_auto(oci_layout)

/* Writes the image's blobs. A NAME:TAG that was added before is -EEXIST. */
int mkv_oci_layout_add(struct mkv_oci_layout *layout,
		       const struct mkv_oci_built *image,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Writes index.json and oci-layout; must be the last call. */
int mkv_oci_layout_finish(struct mkv_oci_layout *layout,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

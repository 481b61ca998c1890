/* SPDX-License-Identifier: MIT */
#pragma once
/* External OCI images, pinned by the digest of their manifest, brought in by
 * skopeo. A reference is "HOST/NAME:TAG" as a recipe says it; an entry of
 * $MKVBENCH_INSECURE_REGISTRIES (host:port, separated by commas) is spoken to
 * without TLS, for registries on loopback. */

#include "builder/oci/image.h"

/* The digest, "sha256:...", of the manifest for linux/amd64 that a reference
 * names now. Caller's. */
int mkv_oci_external_resolve(const char *reference, char **ret_digest,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Copies the image into `layout` (a folder, made by skopeo as an OCI layout with
 * one image) and checks every blob against its digest; what isn't the pinned
 * manifest is MKV_UNVERIFIED. */
int mkv_oci_external_fetch(const char *reference, const char *digest,
			   const char *layout, struct mkv_error *err)
	mkv_must_check mkv_nonnull(1, 2, 3, 4);

/* An image read from such a layout, with its layers unpacked into trees; all of
 * it owned by the holder. For the appliance's own layout and Docker root. */
struct mkv_oci_external;
int mkv_oci_external_open(const char *layout, const char *name, const char *tag,
			  struct mkv_oci_external **ret, struct mkv_error *err)
	mkv_must_check mkv_nonnull(1, 2, 3, 4, 5);
void mkv_oci_external_free(struct mkv_oci_external *external);
MKV_DEFINE_AUTO(oci_external, struct mkv_oci_external *, mkv_oci_external_free)
#define auto_oci_external mkv_auto(oci_external)
const struct mkv_oci_built *
mkv_oci_external_image(const struct mkv_oci_external *external) mkv_nonnull(1);

/* SPDX-License-Identifier: MIT */
#pragma once
/* External OCI images, pinned by the digest of their manifest, brought in by
 * skopeo. A reference is "HOST[:PORT]/NAME:TAG" as a recipe says it. A registry
 * on localhost or 127.* is spoken to without TLS, any other with; what comes is
 * believed for its digest alone. */

#include "builder/core/store/store.h"
#include "builder/format/oci/image.h"

/* The digest, "sha256:...", of the manifest for linux/amd64 that a reference
 * names now. Caller's. */
int mkv_oci_external_resolve(const char *reference, char **ret_digest,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Copies the image into `folder` (which must not exist or be empty) in skopeo's
 * "dir" form: manifest.json, and every blob under its digest, all as the
 * registry has them. The manifest must be the pinned one: else MKV_UNVERIFIED.
 */
int mkv_oci_external_fetch(const char *reference, const char *digest,
			   const char *folder,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* The same into the store's own folder external/DIGEST: `ret_folder` (caller's)
 * is there already and whole, or appears when complete. A damaged one is
 * fetched again and replaced. `offline`: -ENOENT when it isn't there or is
 * damaged. */
int mkv_oci_external_keep(struct mkv_store *store, const char *reference,
			  const char *digest, bool offline, char **ret_folder,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6);

/* An image read from such a folder: every blob checked against the manifest,
 * every layer's stream against its diffID, layers unpacked into trees. The
 * configuration, and so Docker's image id, stays what it was; the manifest is
 * ours when the registry's is Docker's own kind, which an OCI layout can't
 * hold. All is owned by the holder. Unpacked streams go to unnamed files in
 * `scratch`. */
struct mkv_oci_external;
int mkv_oci_external_open(const char *folder, const char *digest,
			  const char *name, const char *tag,
			  const char *scratch, struct mkv_oci_external **ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6, 7);
void mkv_oci_external_free(struct mkv_oci_external *external);
MKV_DEFINE_AUTO(oci_external, struct mkv_oci_external *, mkv_oci_external_free)
#define auto_oci_external mkv_auto(oci_external)
const struct mkv_oci_built *
mkv_oci_external_image(const struct mkv_oci_external *external) mkv_nonnull(1);

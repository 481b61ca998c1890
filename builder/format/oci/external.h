/* SPDX-License-Identifier: MIT */
#pragma once
/* External OCI images, pinned by the digest of their manifest and fetched by
 * skopeo. A reference is the recipe's "HOST[:PORT]/NAME:TAG". TLS is used for
 * every registry except on localhost and 127.*. Only digests authenticate what
 * is fetched. */

#include "builder/core/store/store.h"
#include "builder/format/oci/image.h"

/* The digest, "sha256:...", of the manifest for linux/amd64 that a reference
 * names now; the caller's. */
int mkv_oci_external_resolve(const char *reference, char **ret_digest,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Copies the image into the directory `dir`, which must not exist or be empty,
 * in skopeo's "dir" format: manifest.json and each blob by its digest,
 * unchanged. A manifest of another digest is MKV_UNVERIFIED. */
int mkv_oci_external_fetch(const char *reference, const char *digest,
			   const char *dir,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Fetches the image into the store's directory external/DIGEST unless that
 * directory is present and intact; a damaged directory is replaced. The
 * directory appears only when it is complete. `ret_dir`: its path, the
 * caller's. `offline`: -ENOENT instead of fetching. -EROFS when the image must
 * be fetched and the store is open for reading. */
int mkv_oci_external_keep(struct mkv_store *store, const char *reference,
			  const char *digest, bool offline, char **ret_dir,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6);

/* An image read from such a directory: each blob is checked against the
 * manifest, each layer's stream against its diffID, and layers are unpacked
 * into trees. The configuration, and so Docker's image id, is kept byte for
 * byte. A manifest of Docker's own media type, which an OCI layout can't hold,
 * is replaced by an OCI manifest. The object owns image, layers and trees.
 * Unpacked streams are unnamed files in the directory `scratch`. */
struct mkv_oci_external;
int mkv_oci_external_open(const char *dir, const char *digest, const char *name,
			  const char *tag, const char *scratch,
			  struct mkv_oci_external **ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6, 7);
void mkv_oci_external_free(struct mkv_oci_external *external);
MKV_DEFINE_AUTO(oci_external, struct mkv_oci_external *, mkv_oci_external_free)
#define auto_oci_external mkv_auto(oci_external)
const struct mkv_oci_built *
mkv_oci_external_image(const struct mkv_oci_external *external) mkv_nonnull(1);

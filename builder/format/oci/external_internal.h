/* SPDX-License-Identifier: MIT */
#pragma once
/* Files of an external image's directory. Each file is hashed when it is
 * opened; a digest that does not match is MKV_UNVERIFIED. */

#include "builder/format/oci/external.h"

/* Parses "sha256:" and 64 hexadecimal digits; NULL is an error as well. */
int mkv_oci_external_digest(const char *text, struct mkv_sha256 *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);
/* Checks the digest of a regular file and opens it at its beginning. `ret`: a
 * descriptor, the caller's. */
int mkv_oci_external_blob(const char *dir, const char *name,
			  const struct mkv_sha256 *digest, int *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Checks and reads a manifest or configuration of at most 4 MiB. */
int mkv_oci_external_text(const char *dir, const char *name,
			  const struct mkv_sha256 *digest, struct mkv_buf *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Checks that manifest, configuration and all layers are present and have the
 * sizes and digests that the manifest records. */
int mkv_oci_external_check(const char *dir, const char *digest,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

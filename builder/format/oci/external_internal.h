/* SPDX-License-Identifier: MIT */
#pragma once
/* Files of an external image's folder, each checked when it is opened. What
 * isn't as its digest says is MKV_UNVERIFIED. */

#include "builder/format/oci/external.h"

/* "sha256:" and 64 hexadecimal digits; NULL is none. */
int mkv_oci_external_digest(const char *text, struct mkv_sha256 *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);
/* Opens a file, at its beginning, whose whole content has been hashed. */
int mkv_oci_external_blob(const char *folder, const char *name,
			  const struct mkv_sha256 *digest, int *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* The same for a manifest or configuration. */
int mkv_oci_external_text(const char *folder, const char *name,
			  const struct mkv_sha256 *digest, struct mkv_buf *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Manifest, configuration and every layer: all there, of the size and digest
 * that they should have. */
int mkv_oci_external_check(const char *folder, const char *digest,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

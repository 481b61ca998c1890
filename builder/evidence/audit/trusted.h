/* SPDX-License-Identifier: MIT */
#pragma once
/* Verified access to an appliance's files: every file that these functions open
 * is named in SHA256SUMS, whose signature was verified, and has the digest
 * there. */

#include "builder/evidence/audit/audit.h"
#include "lib/contract.h"

struct mkv_audit_trusted;
void mkv_trusted_free(struct mkv_audit_trusted *trusted);
MKV_DEFINE_AUTO(trusted, struct mkv_audit_trusted *, mkv_trusted_free)
#define auto_trusted mkv_auto(trusted)

/* Verifies the signature and reads manifest.json. `key` is a PEM file, or NULL
 * for the user's own key, else the appliance's. A wrong signature or digest is
 * MKV_UNVERIFIED, a path that is no appliance MKV_HOST_CANNOT. */
int mkv_trusted_open(const char *path, const char *key,
		     struct mkv_audit_trusted **ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);

/* Borrowed. */
const struct mkv_manifest *
mkv_trusted_manifest(const struct mkv_audit_trusted *trusted) mkv_nonnull(1);
const struct mkv_public_key *
mkv_trusted_key(const struct mkv_audit_trusted *trusted) mkv_nonnull(1);
enum mkv_key_origin mkv_trusted_origin(const struct mkv_audit_trusted *trusted)
	mkv_nonnull(1);

/* Appends a whole file after verifying its digest. -ENOENT for a file that
 * SHA256SUMS doesn't name. */
int mkv_trusted_read(const struct mkv_audit_trusted *trusted, const char *path,
		     size_t limit_bytes, struct mkv_buf *ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
/* Opens a file and returns its digest of SHA256SUMS. The caller hashes the
 * bytes that it reads and uses none of them before the digests are equal. */
int mkv_trusted_file(const struct mkv_audit_trusted *trusted, const char *path,
		     int *ret_fd, struct mkv_sha256 *ret_sha256,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);

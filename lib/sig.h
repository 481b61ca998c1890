/* SPDX-License-Identifier: MIT */
#pragma once
/* Ed25519 signatures (RFC 8032, section 5.1, pure) and public keys in PEM
 * (RFC 7468, section 13: "PUBLIC KEY" around a SubjectPublicKeyInfo of RFC
 * 8410, section 4), by OpenSSL's libcrypto. */

#include "lib/buf.h"
#include "lib/hash.h"

enum {
	MKV_SIGNATURE_SIZE = 64,
	MKV_PUBLIC_KEY_SIZE = 32,
	MKV_PUBLIC_KEY_DER_SIZE = 44,
	MKV_PUBLIC_KEY_PEM_MAX = 4096,
};

/* Nothing in it is allocated. */
struct mkv_public_key {
	uint8_t bytes[MKV_PUBLIC_KEY_SIZE];
	struct mkv_sha256 id; /* of the DER SubjectPublicKeyInfo */
};

/* Makes a key of its 32 raw bytes. */
int mkv_public_key_init(const uint8_t bytes[static MKV_PUBLIC_KEY_SIZE],
			struct mkv_public_key *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Parses PEM: one block with an Ed25519 key and nothing else but white space.
 */
int mkv_public_key_parse(const char *pem, size_t size,
			 struct mkv_public_key *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* Loads a PEM file, relative to `dirfd` (AT_FDCWD: the working directory). */
int mkv_public_key_load(int dirfd, const char *path, struct mkv_public_key *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4);
/* Appends the PEM that `openssl pkey -pubout` writes. */
void mkv_public_key_pem(const struct mkv_public_key *key, struct mkv_buf *ret)
	mkv_nonnull(1, 2);
bool mkv_public_key_equal(const struct mkv_public_key *a,
			  const struct mkv_public_key *b) mkv_nonnull(1, 2);

/* Returns 0 when the signature is valid for this key and these bytes; else
 * MKV_UNVERIFIED and -EBADMSG. */
int mkv_signature_verify(const struct mkv_public_key *key, const void *data,
			 size_t size,
			 const uint8_t signature[static MKV_SIGNATURE_SIZE],
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

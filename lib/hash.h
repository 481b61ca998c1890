/* SPDX-License-Identifier: MIT */
#pragma once
/* SHA-256 (FIPS 180-4, section 6.2), by OpenSSL's libcrypto. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

enum { MKV_SHA256_SIZE = 32, MKV_SHA256_HEX_SIZE = 65 };

struct mkv_sha256 {
	uint8_t bytes[MKV_SHA256_SIZE];
};

/* An incremental hash; NULL when libcrypto fails or memory is missing. */
struct mkv_hasher;
struct mkv_hasher *mkv_hasher_new(void) mkv_must_check;
void mkv_hasher_free(struct mkv_hasher *hasher);
MKV_DEFINE_AUTO(hasher, struct mkv_hasher *, mkv_hasher_free)
#define auto_hasher mkv_auto(hasher)

/* mkv_hasher_finish() reports a failure of mkv_hasher_add(). */
void mkv_hasher_add(struct mkv_hasher *hasher, const void *data, size_t size)
	mkv_nonnull(1);
/* Resets the hasher for another message. */
int mkv_hasher_finish(struct mkv_hasher *hasher, struct mkv_sha256 *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

int mkv_sha256_bytes(const void *data, size_t size, struct mkv_sha256 *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);

/* Hashes the bytes from the descriptor's current position to the end.
 * `ret_size_bytes`, their number, may be NULL. */
int mkv_sha256_fd(int fd, struct mkv_sha256 *ret, uint64_t *ret_size_bytes,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(2, 4);

/* MD5 (RFC 1321) of the bytes from the descriptor's current position to the
 * end, in hexadecimal. Only for dpkg's own records. */
int mkv_md5_fd(int fd, char ret[static 33],
	       struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);

/* Lower-case hexadecimal with its NUL. */
void mkv_sha256_hex(const struct mkv_sha256 *sha,
		    char hex[static MKV_SHA256_HEX_SIZE]) mkv_nonnull(1, 2);
/* Exactly 64 lower-case hexadecimal digits, else -EINVAL. */
int mkv_sha256_parse(const char *hex, struct mkv_sha256 *ret) mkv_must_check
	mkv_nonnull(1, 2);
bool mkv_sha256_equal(const struct mkv_sha256 *a, const struct mkv_sha256 *b)
	mkv_nonnull(1, 2);

/* A version 5 UUID (RFC 9562, section 5.5, with SHA-1) of a name in a
 * namespace. Ids are derived instead of drawn at random, so that builds are
 * reproducible. */
int mkv_uuid5(const uint8_t space[static 16], const char *name,
	      uint8_t ret[static 16], struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", lower case, with its NUL. */
void mkv_uuid_text(const uint8_t uuid[static 16], char ret[static 37])
	mkv_nonnull(1, 2);

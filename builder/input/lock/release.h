/* SPDX-License-Identifier: MIT */
#pragma once
/* A suite's signed release file (InRelease): Debian's repository format,
 * https://wiki.debian.org/DebianRepository/Format, "Release" files. */

#include "lib/buf.h"
#include "lib/hash.h"

struct mkv_release {
	struct mkv_buf text;			 /* the signed text */
	struct mkv_sha256 sha256;		 /* of the whole file */
	char *origin, *label, *suite, *codename; /* NULL: missing */
	int64_t date_s, valid_until_s;		 /* 0: missing or invalid */
};
void mkv_release_done(struct mkv_release *release) mkv_nonnull(1);
#define auto_release __attribute__((cleanup(mkv_release_done)))

/* Checks the signatures with gpgv against a keyring and reads the fields of the
 * signed text only. At least one signature must be good and none bad, else
 * MKV_UNVERIFIED; signatures by keys that the keyring lacks are ignored. */
int mkv_release_verify(const struct mkv_buf *file, const char *keyring,
		       struct mkv_release *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Requires Origin, Label and Codename (or Suite) of Debian's suite ("trixie",
 * "trixie-security") and, unless `allow_expired`, a Valid-Until in the future.
 * Else MKV_UNVERIFIED. */
int mkv_release_check(const struct mkv_release *release, const char *suite,
		      bool allow_expired, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* Looks up a path in the SHA256 section. False when the release does not list
 * it; *ret_sha256 and *ret_size_bytes are then untouched. */
bool mkv_release_find(const struct mkv_release *release, const char *path,
		      struct mkv_sha256 *ret_sha256, uint64_t *ret_size_bytes)
	mkv_nonnull(1, 2, 3, 4);

/* SPDX-License-Identifier: MIT */
#pragma once
/* A suite's signed release file (InRelease): Debian's repository format,
 * https://wiki.debian.org/DebianRepository/Format, "Release" files. */

#include "lib/buf.h"
#include "lib/hash.h"

struct mkv_release {
	struct mkv_buf text;			 /* what the signature covers */
	struct mkv_sha256 sha256;		 /* of the whole file */
	char *origin, *label, *suite, *codename; /* NULL: not said */
	int64_t date_s, valid_until_s;		 /* 0: not said */
};
void mkv_release_done(struct mkv_release *release) mkv_nonnull(1);
#define auto_release __attribute__((cleanup(mkv_release_done)))

/* Checks the signature with gpgv against a keyring and reads the fields from
 * the signed text alone. At least one signature must be good and none bad; keys
 * that the keyring lacks don't matter then. Otherwise MKV_UNVERIFIED. */
int mkv_release_verify(const struct mkv_buf *file, const char *keyring,
		       struct mkv_release *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Whether it is the release of this suite ("trixie-security") of Debian, by its
 * Origin, Label and Codename or Suite, else MKV_UNVERIFIED; and, unless
 * `allow_expired`, whether its Valid-Until lies ahead. */
int mkv_release_check(const struct mkv_release *release, const char *suite,
		      bool allow_expired, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* A file that the release vouches for; false when it names none such. */
bool mkv_release_find(const struct mkv_release *release, const char *path,
		      struct mkv_sha256 *ret_sha256, uint64_t *ret_size_bytes)
	mkv_nonnull(1, 2, 3, 4);

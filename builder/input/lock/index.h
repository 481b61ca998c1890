/* SPDX-License-Identifier: MIT */
#pragma once
/* The package index of a suite, listed by its signed release, in the store. */

#include "builder/input/lock/ensure.h"

#define MKV_DEBIAN_KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"

/* The archive of a suite: "debian-security" for "trixie-security", else
 * "debian". Static. */
const char *mkv_archive_of(const char *suite) mkv_nonnull(1);

/* Fetches and verifies the release of a suite and its index for amd64,
 * component main. On success the store has the unpacked index, and the caller
 * owns the strings of *ret. Mirrors whose release does not verify are marked
 * `refused`. *ret_found is false, and *ret untouched, when the index is empty
 * or, with `may_miss`, when no mirror has the suite. */
int mkv_index_fetch(struct mkv_store *store, const char *suite, bool may_miss,
		    const struct mkv_lock_options *options,
		    struct mkv_mirrors *mirrors, struct mkv_progress *progress,
		    struct mkv_lock_index *ret, bool *ret_found,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5, 7, 8, 9);

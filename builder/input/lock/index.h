/* SPDX-License-Identifier: MIT */
#pragma once
/* A suite's package index: found through its signed release, in the store. */

#include "builder/input/lock/ensure.h"

#define MKV_DEBIAN_KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"

/* "debian-security" for "trixie-security", else "debian". */
const char *mkv_archive_of(const char *suite) mkv_nonnull(1);

/* Fetches and verifies a suite's release and its index for amd64, component
 * main, and fills *ret; the unpacked index is then in the store. Mirrors that
 * serve something else than Debian are marked `refused`. With `may_miss`, a
 * suite that every mirror answers not to have is no error; it leaves *ret_found
 * false, as an empty index does. */
int mkv_index_fetch(struct mkv_store *store, const char *suite, bool may_miss,
		    const struct mkv_lock_options *options,
		    struct mkv_mirrors *mirrors, struct mkv_progress *progress,
		    struct mkv_lock_index *ret, bool *ret_found,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5, 7, 8, 9);

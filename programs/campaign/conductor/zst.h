/* SPDX-License-Identifier: MIT */
#pragma once
/* A file that is compressed as it is written (Zstandard, RFC 8878, with a
 * checksum), with bounded memory. It gets its name when it is complete, and
 * never fills the disk. */

#include "lib/io.h"

struct mkv_zst;

/* Keeps `spare_bytes` free on the file system. */
int mkv_zst_open(const char *path, uint64_t spare_bytes, struct mkv_zst **ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* -ENOSPC: less than spare_bytes would be free. */
int mkv_zst_add(struct mkv_zst *zst, const void *data, size_t size,
		struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4);
/* Completes the file. Nothing can be added afterwards. */
int mkv_zst_commit(struct mkv_zst *zst, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Removes a file that was not committed. */
void mkv_zst_free(struct mkv_zst *zst);
MKV_DEFINE_AUTO(zst, struct mkv_zst *, mkv_zst_free)
#define auto_zst mkv_auto(zst)

/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes a gzip member (RFC 1952). The output depends only on the input bytes,
 * not on the version of a compression library. Header: no name, no time, OS
 * 255. Data: deflate (RFC 1951) in independent blocks of MKV_GZIP_CHUNK input
 * bytes, with greedy matches and dynamic Huffman codes, or stored blocks where
 * they are smaller. */

#include "lib/hash.h"

enum mkv_gzip_level {
	MKV_GZIP_STORED, /* stored blocks only */
	MKV_GZIP_DEFLATE,
};
enum { MKV_GZIP_CHUNK = 256 * 1024 };

struct mkv_gzip;
/* Writes to `fd` from its current position. The descriptor stays the caller's.
 */
int mkv_gzip_new(int fd, enum mkv_gzip_level level, struct mkv_gzip **ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
void mkv_gzip_free(struct mkv_gzip *gzip);
MKV_DEFINE_AUTO(gzip, struct mkv_gzip *, mkv_gzip_free)
#define auto_gzip mkv_auto(gzip)
int mkv_gzip_add(struct mkv_gzip *gzip, const void *data, size_t size,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4);
/* Ends the member and returns the digest and the size of the whole output. */
int mkv_gzip_finish(struct mkv_gzip *gzip, struct mkv_sha256 *ret_sha256,
		    uint64_t *ret_size_bytes,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

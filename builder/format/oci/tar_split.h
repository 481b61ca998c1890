/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes tar-split metadata (github.com/vbatts/tar-split,
 * tar/storage/entry.go), from which dockerd reassembles a layer's tar stream
 * byte for byte with the unpacked files. One JSON object a line:
 *
 *     {"type":2,"payload":BASE64,"position":N}              raw bytes
 *     {"type":1,"name":NAME,"size":N,"payload":CRC,"position":N}  a file's data
 *
 * CRC is the big-endian CRC-64 (ISO 3309, as in Go's hash/crc64) in base64, or
 * null for an entry without data. A name that is not UTF-8 is `name_raw`, in
 * base64. */

#include "builder/format/oci/gzip.h"

/* Reads the tar stream in the first `size` bytes of `tar_fd` (ustar with PAX or
 * GNU extension headers) and writes the lines to `into`. A malformed stream is
 * -EINVAL. `ret_files_bytes`: the size of all files' data. */
int mkv_tar_split(int tar_fd, uint64_t size, struct mkv_gzip *into,
		  uint64_t *ret_files_bytes,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4, 5);

/* Updates a CRC-64, initially 0, by `size` bytes. */
uint64_t mkv_crc64(uint64_t crc, const void *data, size_t size);

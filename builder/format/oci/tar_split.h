/* SPDX-License-Identifier: MIT */
#pragma once
/* tar-split (github.com/vbatts/tar-split, tar/storage/entry.go): what dockerd
 * keeps of a layer's tar stream, so that it can write the same bytes again from
 * the unpacked files. One JSON object a line:
 *
 *     {"type":2,"payload":BASE64,"position":N}              raw bytes
 *     {"type":1,"name":NAME,"size":N,"payload":CRC,"position":N}  a file's data
 *
 * CRC is the big-endian CRC-64 (ISO 3309, as Go's hash/crc64 computes it) in
 * base64, null for a file without data; a name that isn't UTF-8 is `name_raw`,
 * in base64. */

#include "builder/format/oci/gzip.h"

/* Reads the tar stream that is the first `size` bytes of `tar_fd` (ustar with
 * PAX or GNU long names) and writes the lines into `into`. What isn't such a
 * stream is MKV_FAILED, -EINVAL. `ret_files_bytes`: the data of all files. */
int mkv_tar_split(int tar_fd, uint64_t size, struct mkv_gzip *into,
		  uint64_t *ret_files_bytes,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4, 5);

/* CRC-64 of `size` more bytes; starts with 0. */
uint64_t mkv_crc64(uint64_t crc, const void *data, size_t size);

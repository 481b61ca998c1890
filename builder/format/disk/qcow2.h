/* SPDX-License-Identifier: MIT */
#pragma once
/* Converts a raw image to qcow2 version 3 (QEMU documentation, interop/qcow2):
 * clusters of 64 KiB, 16-bit refcounts, no backing file, no compression,
 * clusters of zeros unallocated. The output depends only on the raw bytes, not
 * on the raw file's holes. */

#include <stdint.h>

#include "lib/error.h"

/* Reads the first `size_bytes` of raw_fd, a multiple of 512 and at most 16 TiB.
 * out_fd is an empty regular file. */
int mkv_qcow2_write(int raw_fd, uint64_t size_bytes, int out_fd,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(4);

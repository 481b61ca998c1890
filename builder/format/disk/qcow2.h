/* SPDX-License-Identifier: MIT */
#pragma once
/* A qcow2 image, version 3 (QEMU documentation, interop/qcow2), of a raw one:
 * clusters of 64 KiB, 16-bit reference counts, no backing file, no compression,
 * clusters of zeros left out. Equal raw bytes give equal images, whatever holes
 * the raw file has. */

#include <stdint.h>

#include "lib/error.h"

/* Reads `size_bytes` of raw_fd from its beginning; a multiple of 512. out_fd is
 * an empty regular file. */
int mkv_qcow2_write(int raw_fd, uint64_t size_bytes, int out_fd,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(4);

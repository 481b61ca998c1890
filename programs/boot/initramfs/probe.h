/* SPDX-License-Identifier: MIT */
#pragma once
/* Identifies file systems and partitions by their on-disk data. The data is
 * untrusted: sizes are bounded and checksums are verified. */

#include <stdbool.h>
#include <stdint.h>

enum { PROBE_UUID_SIZE = 37, PROBE_LABEL_SIZE = 17 };

struct probe_fs {
	char uuid[PROBE_UUID_SIZE];
	char label[PROBE_LABEL_SIZE]; /* other than printable ASCII: '?' */
};

/* An ext2, ext3 or ext4 superblock (kernel, filesystems/ext4/super.rst). */
bool probe_ext4(int fd, struct probe_fs *ret);

/* The PARTUUID of partition `number`, counted from 1 (UEFI 2.10, 5.3). False
 * without a valid GPT, or when the entry is unused. */
bool probe_gpt(int fd, unsigned sector_bytes, unsigned number,
	       char ret[PROBE_UUID_SIZE]);

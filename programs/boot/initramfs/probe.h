/* SPDX-License-Identifier: MIT */
#pragma once
/* Recognises file systems and partitions by what stands on the disk. Disks are
 * hostile: sizes are bounded, sums are checked, nothing is believed that the
 * sector itself doesn't prove. */

#include <stdbool.h>
#include <stdint.h>

enum { PROBE_UUID_SIZE = 37, PROBE_LABEL_SIZE = 17 };

struct probe_fs {
	char uuid[PROBE_UUID_SIZE];
	char label[PROBE_LABEL_SIZE]; /* what isn't printable became '?' */
};

/* An ext2, ext3 or ext4 superblock (kernel, filesystems/ext4/super.rst). */
bool probe_ext4(int fd, struct probe_fs *ret);

/* The PARTUUID of a disk's partition, numbered from 1 (UEFI 2.10, 5.3). False
 * without a sound table, or when that entry is unused. */
bool probe_gpt(int fd, unsigned sector_bytes, unsigned number,
	       char ret[PROBE_UUID_SIZE]);

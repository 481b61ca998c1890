/* SPDX-License-Identifier: MIT */
#pragma once
/* An ext4 file system straight from a file tree, through libext2fs: no mount,
 * no loop device, no mke2fs.conf, no clock, no random number. Equal trees and
 * options give equal bytes. Format: Linux kernel documentation,
 * filesystems/ext4/.
 *
 * Features: has_journal ext_attr resize_inode dir_index filetype extent 64bit
 * flex_bg sparse_super large_file huge_file dir_nlink extra_isize
 * metadata_csum. Not: orphan_file, metadata_csum_seed, inline_data, casefold.
 * Blocks of 4096 bytes, inodes of 256, one inode for 16 KiB or more. Nothing is
 * left for the kernel to initialise later. */

#include "builder/core/tree/tree.h"

struct mkv_ext4_options {
	uint8_t uuid[16];
	uint8_t hash_seed[16]; /* of directory indexes */
	const char *label;     /* at most 16 bytes; NULL for none */
	int64_t epoch_s;       /* of the superblock and of every inode's change,
				  creation and access; 1 to 2^32 - 1 */
	uint64_t size_bytes;   /* of the file system; the last part of a block,
				  or of a group too small to use, is left over */
};

/* The smallest size that holds the tree with a tenth and 32 MiB to spare, a
 * multiple of 1 MiB. */
int mkv_ext4_size(const struct mkv_tree *tree, uint64_t *ret_min_bytes,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Writes the file system at `offset` (a multiple of 4096) of a regular file
 * open for reading and writing, which must be zeros there (best a hole) for
 * size_bytes; what isn't used stays as it is. A tree that doesn't fit is
 * -ENOSPC. Uses the inodes' marks. */
int mkv_ext4_write(const struct mkv_tree *tree, int fd, uint64_t offset,
		   const struct mkv_ext4_options *options,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);

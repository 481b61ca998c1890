/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes a file tree as an ext4 file system with libext2fs, without mount, loop
 * device, mke2fs.conf, clock or random numbers. Equal trees and options give
 * equal bytes. Format: Linux kernel documentation, filesystems/ext4/.
 *
 * Features: has_journal ext_attr resize_inode dir_index filetype extent 64bit
 * flex_bg sparse_super large_file huge_file dir_nlink extra_isize
 * metadata_csum. Not: orphan_file, metadata_csum_seed, inline_data, casefold.
 * Blocks of 4096 bytes, inodes of 256 bytes, at least one inode for 16 KiB. All
 * inode tables are initialised. */

#include "builder/core/tree/tree.h"

struct mkv_ext4_options {
	uint8_t uuid[16];
	uint8_t hash_seed[16]; /* of directory indexes */
	const char *label;     /* at most 16 bytes; NULL for none */
	int64_t epoch_s;       /* times of the superblock; change, creation and
				  access time of every inode; 1 to 2^32 - 1 */
	uint64_t size_bytes;   /* of the file system; a partial block, or a
				  group too small to use, at the end is unused */
};

/* The smallest size, a multiple of 1 MiB, that holds the tree and has 10 % and
 * 32 MiB of free space. */
int mkv_ext4_size(const struct mkv_tree *tree, uint64_t *ret_min_bytes,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Writes the file system at `offset` (a multiple of 4096) of a regular file
 * that is open for reading and writing. The size_bytes there must be zeros
 * (best a hole); unused blocks are not written. A tree that doesn't fit is
 * -ENOSPC. Changes the inodes' marks. */
int mkv_ext4_write(const struct mkv_tree *tree, int fd, uint64_t offset,
		   const struct mkv_ext4_options *options,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);

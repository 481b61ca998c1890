/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes a FAT file system from a tree (Microsoft, "FAT: General Overview of
 * On-Disk Format", fatgen103, 6 December 2000). The output depends only on the
 * tree and the options. The number of clusters selects FAT16 or FAT32, as the
 * format requires. Names get long entries and unique short aliases.
 *
 * FAT stores no owner and no permissions: those of the tree are dropped. Links,
 * devices, names that FAT can't hold, and names in a directory that differ only
 * by case, are errors. */

#include <stdint.h>

#include "builder/core/tree/tree.h"

struct mkv_fat_options {
	uint64_t size_bytes; /* of the file system: a multiple of 1 MiB, at
				least the result of mkv_fat_size() */
	uint32_t volume_id;
	char label[11];	 /* upper case, padded with spaces; first byte 0:
			    none */
	int64_t epoch_s; /* time of the label; files have their own times, UTC
			  */
	uint32_t hidden_sectors; /* first LBA of the partition; 0: none */
};

/* The smallest size, a multiple of 1 MiB, that holds the tree and has 1 MiB of
 * free space. */
int mkv_fat_size(const struct mkv_tree *tree, uint64_t *ret_bytes,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Writes the file system at `offset` of `fd`. That range must read as zeros,
 * such as a hole of a new file: free clusters are not written. */
int mkv_fat_write(const struct mkv_tree *tree, int fd, uint64_t offset,
		  const struct mkv_fat_options *options,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);

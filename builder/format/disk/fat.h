/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes a FAT file system from a tree (Microsoft, "FAT: General Overview of
 * On-Disk Format", fatgen103, 6 December 2000). Every byte follows from the
 * tree and the options; FAT16 or FAT32 follows from the number of clusters, as
 * the format says. Names get long entries and short aliases that never clash.
 *
 * FAT keeps no owner and no permissions: those of the tree are dropped. Links,
 * devices, and names that FAT can't hold or that differ only by case are
 * errors. */

#include <stdint.h>

#include "builder/core/tree/tree.h"

struct mkv_fat_options {
	uint64_t size_bytes; /* of the file system: a multiple of 1 MiB, at
				least what mkv_fat_size() says */
	uint32_t volume_id;
	char label[11];	 /* upper case, padded with spaces; "" or all zero:
			    none */
	int64_t epoch_s; /* of the label; files keep their own times, UTC */
	uint32_t hidden_sectors; /* first LBA of its partition; 0: none */
};

/* The smallest size, in bytes and a multiple of 1 MiB, that holds the tree with
 * a little room to spare. */
int mkv_fat_size(const struct mkv_tree *tree, uint64_t *ret_bytes,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Writes the file system at `offset` of `fd`. That range must read as zeros: it
 * is a hole of a new file, and what stays free stays a hole. */
int mkv_fat_write(const struct mkv_tree *tree, int fd, uint64_t offset,
		  const struct mkv_fat_options *options,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);

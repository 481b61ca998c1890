/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes a whole disk image into one sparse file: a GUID partition table, and
 * in each partition a file system made from a tree. */

#include "builder/core/tree/tree.h"

enum mkv_disk_format {
	MKV_DISK_FAT,  /* an ESP */
	MKV_DISK_EXT4, /* root and data */
};

struct mkv_disk_partition {
	enum mkv_disk_format format;
	const char *name;	    /* in the partition table, UTF-8 */
	const uint8_t *type;	    /* mkv_gpt_type_... */
	uint8_t partition_uuid[16]; /* PARTUUID= */
	uint8_t fs_uuid[16];	    /* UUID=; FAT's volume id is its first four
				       bytes, big-endian */
	const char *label; /* of the file system, at most 11 bytes (FAT)
			      or 16 bytes (ext4); may be NULL */
	const struct mkv_tree *tree; /* for an empty data partition, a tree that
					holds only its root */
	uint64_t size_bytes; /* a multiple of 1 MiB; 0: the smallest size
				that holds the tree */
};

struct mkv_disk {
	uint8_t uuid[16];
	int64_t epoch_s;
	uint64_t size_bytes; /* a multiple of 1 MiB; the last partition whose
				size_bytes is 0 gets the remaining space. 0: the
				size that the partitions need */
	const struct mkv_disk_partition *partitions; /* in ascending order */
	size_t n_partitions;
};

/* The position of a partition on the disk. */
struct mkv_disk_extent {
	uint64_t offset_bytes, size_bytes;
};

/* Writes the image into `fd`, an empty regular file, whose size becomes that of
 * the disk. `ret_extents`: one per partition; may be NULL. Partitions that do
 * not fit are -ENOSPC. */
int mkv_disk_write(const struct mkv_disk *disk, int fd,
		   struct mkv_disk_extent *ret_extents,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4);

/* The tree of an EFI system partition that boots one unified kernel image; the
 * caller's. */
int mkv_disk_esp_tree(struct mkv_content *uki, int64_t epoch_s,
		      struct mkv_tree **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

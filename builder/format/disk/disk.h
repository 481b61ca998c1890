/* SPDX-License-Identifier: MIT */
#pragma once
/* A whole disk image: a GUID partition table and a file system in each
 * partition, written from trees into one sparse file. */

#include "builder/core/tree/tree.h"

enum mkv_disk_format {
	MKV_DISK_FAT,  /* an ESP */
	MKV_DISK_EXT4, /* root and data */
};

struct mkv_disk_partition {
	enum mkv_disk_format format;
	const char *name;	     /* in the partition table, UTF-8 */
	const uint8_t *type;	     /* mkv_gpt_type_... */
	uint8_t partition_uuid[16];  /* PARTUUID= */
	uint8_t fs_uuid[16];	     /* UUID=; FAT's volume id is its first four
					bytes, big-endian */
	const char *label;	     /* of the file system, at most 11 or 16
					bytes */
	const struct mkv_tree *tree; /* for an empty data partition, one that
					holds only its root */
	uint64_t size_bytes;	     /* a multiple of 1 MiB; 0: as small as
					fits */
};

struct mkv_disk {
	uint8_t uuid[16];
	int64_t epoch_s;
	uint64_t size_bytes; /* 0: what the partitions need. Else a multiple of
				1 MiB, and the last partition without a size of
				its own takes what is left */
	const struct mkv_disk_partition *partitions; /* in the disk's order */
	size_t n_partitions;
};

/* Where a partition came to lie. */
struct mkv_disk_extent {
	uint64_t offset_bytes, size_bytes;
};

/* Writes the image into `fd`, which must be an empty regular file; it ends with
 * the disk's size. `ret_extents`, when not NULL, takes one per partition. */
int mkv_disk_write(const struct mkv_disk *disk, int fd,
		   struct mkv_disk_extent *ret_extents,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4);

/* The tree of an ESP that starts one unified kernel image. */
int mkv_disk_esp_tree(struct mkv_content *uki, int64_t epoch_s,
		      struct mkv_tree **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

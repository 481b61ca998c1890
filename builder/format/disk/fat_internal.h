/* SPDX-License-Identifier: MIT */
#pragma once
/* For the FAT writer's files: fat.c writes boot sector and FATs, fat_plan.c
 * allocates clusters to the tree's entries and writes their data, fat_name.c
 * makes names. */

#include "builder/format/disk/fat.h"
#include "lib/buf.h"

enum {
	MKV_FAT_SECTOR = 512,
	MKV_FAT_ROOT_CLUSTER = 2, /* the first of the data area */
	MKV_FAT_NAME_UNITS_MAX = 255,
	MKV_FAT_DIRECTORY_ENTRIES_MAX = 4096,
};

/* The names of one directory entry. */
struct mkv_fat_name {
	uint8_t alias[11]; /* the 8.3 name */
	uint16_t units[MKV_FAT_NAME_UNITS_MAX];
	uint8_t n_units; /* 0: the alias is the name, without a long entry */
};

struct mkv_fat_geometry {
	bool fat32;
	uint32_t sectors, sectors_per_cluster, cluster_bytes;
	uint32_t reserved_sectors, fat_sectors, root_entries;
	uint32_t root_sector, data_sector;
	uint32_t clusters;
};

/* One directory or file, with its run of clusters. */
struct mkv_fat_node {
	const struct mkv_inode *inode;
	uint32_t first_cluster; /* 0: none (empty file, FAT16's root) */
	uint32_t n_clusters;
	size_t parent;
	/* Of a directory: its children are adjacent in the plan, in the order
	 * of their names. */
	size_t first_child, n_children;
	struct mkv_fat_name *child_names; /* owned */
};

struct mkv_fat_plan {
	const struct mkv_fat_geometry *geometry;
	bool has_label;
	struct mkv_fat_node *nodes; /* the root first, then level by level */
	size_t n_nodes;
	uint32_t next_cluster; /* the first free cluster */
};

/* Allocates clusters for plan->geometry; the plan is otherwise zeroed. */
int mkv_fat_plan(const struct mkv_tree *tree, struct mkv_fat_plan *plan,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_fat_plan_done(struct mkv_fat_plan *plan) mkv_nonnull(1);
#define auto_fat_plan __attribute__((cleanup(mkv_fat_plan_done)))
/* Writes directories and files of the file system at `offset` of `fd`. */
int mkv_fat_write_data(const struct mkv_fat_plan *plan, int fd, uint64_t offset,
		       const struct mkv_fat_options *options,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

/* The names for all entries of one directory, in the order of the entries: an
 * array of `count`, owned by the caller. Equal entries get equal names. */
int mkv_fat_names(const struct mkv_tree_entry *entries, size_t count,
		  struct mkv_fat_name **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
/* The number of 32-byte directory entries of a name, long and short. */
size_t mkv_fat_name_slots(const struct mkv_fat_name *name) mkv_nonnull(1);
/* Appends the long entries; the caller appends the short entry. */
void mkv_fat_name_put_long(const struct mkv_fat_name *name,
			   struct mkv_buf *into) mkv_nonnull(1, 2);

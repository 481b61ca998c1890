/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the files of this directory only. */

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "builder/format/ext4/ext4.h"

enum {
	EXT4_BLOCK = 4096,
	EXT4_LOST_FOUND_BLOCKS = 4,
	EXT4_LINKS_MAX = 65000,
	EXT4_EXTENT_BLOCKS_MAX = 32768,
};

/* An inode of the tree with its number. */
struct ext4_node {
	struct mkv_inode *inode;
	ext2_ino_t number;
	ext2_ino_t parent; /* the first directory with the inode */
};

/* Consecutive blocks. */
struct ext4_run {
	blk64_t start;
	blk64_t count;
};

struct ext4_runs {
	struct ext4_run *items;
	size_t count;
};

struct ext4_builder {
	const struct mkv_tree *tree;
	const struct mkv_ext4_options *options;
	int fd;
	uint64_t offset;
	ext2_filsys fs;
	struct ext4_node *nodes;
	size_t n_nodes;
	blk64_t next;	       /* start of the next search for free blocks */
	struct ext4_runs runs; /* of the current inode */
	char *blocks;	       /* contents of the current directory */
	size_t blocks_size;    /* allocated */
};

/* Records an error with libext2fs's message. Full file systems are ENOSPC. */
int ext4_fail(struct mkv_error *err, errcode_t code, const char *what)
	mkv_nonnull(1, 3);
/* An empty file system with its tables allocated. With `fd` -1 nothing can be
 * written: for counting free blocks only. */
int ext4_open(const struct mkv_ext4_options *options, uint64_t n_inodes, int fd,
	      uint64_t offset, ext2_filsys *ret,
	      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 5, 6);
blk64_t ext4_journal_blocks(blk64_t blocks);
/* Inodes and blocks that a tree needs, without the tables. */
struct ext4_need {
	uint64_t inodes, blocks;
};
int ext4_count(const struct mkv_tree *tree, struct ext4_need *ret,
	       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* io.c: an I/O manager of libext2fs for an offset of a descriptor. The name of
 * a channel is "FD:OFFSET". */
extern struct struct_io_manager ext4_io_manager;

/* inode.c */
/* Allocates free blocks, in few runs, and sets builder->runs. */
int ext4_allocate(struct ext4_builder *builder, uint64_t blocks,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* Sets all fields except size and blocks. */
void ext4_set_inode(const struct ext4_builder *builder,
		    const struct mkv_inode *from, struct ext2_inode_large *to)
	mkv_nonnull(1, 2, 3);
void ext4_set_times(const struct ext4_builder *builder, int64_t mtime_s,
		    struct ext2_inode_large *to) mkv_nonnull(1, 3);
/* Maps the file's blocks to builder->runs, and writes the inode. */
int ext4_write_mapped(struct ext4_builder *builder, ext2_ino_t number,
		      struct ext2_inode_large *inode, uint64_t size_bytes,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5);
/* Writes an inode that is not a directory, and its content. */
int ext4_write_node(struct ext4_builder *builder, const struct ext4_node *node,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
int ext4_write_xattrs(struct ext4_builder *builder,
		      const struct ext4_node *node,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* dir.c */
/* The maximum number of blocks of a directory. It depends on the sizes of
 * names, not on their hashes. */
int ext4_dir_blocks(const struct mkv_inode *dir, bool is_lost_found,
		    uint64_t *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
int ext4_write_dir(struct ext4_builder *builder, const struct ext4_node *node,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* A pack: a whole tree in one self-contained file, the form in which the store
 * keeps trees. All numbers are little-endian:
 *
 *     header    "mkvpack\n", u32 version, u32 zero
 *     contents  without gaps, each distinct one once, in the order of adding
 *     index     i64 time of the tree
 *               u32 count, then per content: u64 size, its SHA-256
 *               u32 count, then per entry, in the order of mkv_tree_walk():
 *                 u16 bytes shared with the path before, u16 count of further
 *                 bytes, those bytes; u8 kind;
 *                 a hard link (1): u32 number of the first entry of the inode;
 *                 an inode (0): u32 mode, u32 uid, u32 gid, i64 mtime;
 *                   u32 number of its content (regular file), u16 length and
 *                   target (symbolic link), u32 major, u32 minor (device);
 *                   u16 count, then per extended attribute:
 *                     u16 length, name, u32 size, value
 *     footer    "mkvpend\n", u32 version, u32 zero, u64 offset and u64 size of
 *               the index, its SHA-256
 *
 * The same tree and order of adding give the same bytes. */

#include "builder/core/tree/tree.h"

enum { MKV_PACK_VERSION = 1 };

struct mkv_pack_writer;
/* Writes into an empty file. The caller owns `fd`, which must be readable too
 * and stay open until the writer is freed. */
int mkv_pack_writer_new(int fd, struct mkv_pack_writer **ret,
			struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
void mkv_pack_writer_free(struct mkv_pack_writer *writer);
MKV_DEFINE_AUTO(pack_writer, struct mkv_pack_writer *, mkv_pack_writer_free)
#define auto_pack_writer mkv_auto(pack_writer)

/* Copies exactly `size` bytes from the start of `file_fd`, hashing while
 * copying; a content that the pack has already is not stored again. The caller
 * owns *ret, which refers to the pack. */
int mkv_pack_add(struct mkv_pack_writer *writer, int file_fd, uint64_t size,
		 struct mkv_content **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

/* Adds the contents of the tree that the pack lacks, in the order of
 * mkv_tree_walk(), then writes index and footer. Does not sync the file.
 * Nothing can be added afterwards. */
int mkv_pack_finish(struct mkv_pack_writer *writer, const struct mkv_tree *tree,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Writes a finished tree as a pack. */
int mkv_pack_write(const struct mkv_tree *tree, int fd,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* Takes ownership of `fd`, also on failure; the tree's contents are ranges of
 * the file. Checks the structure and the index's digest: MKV_UNVERIFIED,
 * -EBADMSG. Contents are not read: the store verifies the object as a whole. */
int mkv_pack_open(int fd, struct mkv_tree **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);

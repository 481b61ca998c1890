/* SPDX-License-Identifier: MIT */
#pragma once
/* A pack: a whole tree as one self-contained file, which is how trees lie in
 * the store. All numbers are little-endian:
 *
 *     header    "mkvpack\n", u32 version, u32 zero
 *     contents  back to back, each distinct one once, in the order of adding
 *     index     i64 time of the tree
 *               u32 count, then per content: u64 size, its SHA-256
 *               u32 count, then per entry, in the order of mkv_tree_walk():
 *                 u16 bytes shared with the path before, u16 more bytes, they;
 *                 u8 kind; a hard link (1): u32 number of the entry it equals;
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
/* Writes into an empty file from its start. `fd` stays the caller's, who must
 * keep it open until the writer is freed; it must allow reading as well. */
int mkv_pack_writer_new(int fd, struct mkv_pack_writer **ret,
			struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
void mkv_pack_writer_free(struct mkv_pack_writer *writer);
MKV_DEFINE_AUTO(pack_writer, struct mkv_pack_writer *, mkv_pack_writer_free)
#define auto_pack_writer mkv_auto(pack_writer)

/* Copies exactly `size` bytes from the start of `file_fd` and hashes them on
 * the way; a content that is there already is not stored again. The content
 * refers to the pack and is the caller's. */
int mkv_pack_add(struct mkv_pack_writer *writer, int file_fd, uint64_t size,
		 struct mkv_content **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

/* Writes index and footer. Contents of the tree that were not added yet are
 * added, in the order of the walk. The file isn't synced: whoever commits it
 * does that. Nothing can be added afterwards. */
int mkv_pack_finish(struct mkv_pack_writer *writer, const struct mkv_tree *tree,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Packs a finished tree in one go. */
int mkv_pack_write(const struct mkv_tree *tree, int fd,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* Takes `fd` over, also on failure. The tree's contents are ranges of it.
 * Everything about the structure is checked, and the index's digest; contents
 * are not read: the store verified the object as a whole. */
int mkv_pack_open(int fd, struct mkv_tree **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);

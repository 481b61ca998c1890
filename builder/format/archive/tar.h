/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes a tree as a tar archive in the POSIX pax interchange format (IEEE Std
 * 1003.1, pax, "pax Interchange Format"). Equal trees give equal bytes: entries
 * are in the order of a walk, the root first as "./", others relative as
 * "usr/bin/env", directories with a final slash; owners are numeric, without
 * names; an extended header has only records that don't fit in the ustar header
 * (path, linkpath, size, uid, gid, mtime) and SCHILY.xattr.NAME; two blocks of
 * zeros are the end. */

#include "builder/core/tree/tree.h"

/* Receives the next bytes; a negative result, with *err set, stops the writer.
 */
typedef int mkv_tar_sink(void *context, const void *data, size_t size,
			 struct mkv_error *err);

/* Passes the archive to the sink in pieces. An inode that tar can't represent
 * is -EINVAL. Changes the inodes' marks. */
int mkv_tar_stream(const struct mkv_tree *tree, mkv_tar_sink *sink,
		   void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* Writes the archive at the descriptor's position; a pipe is allowed. */
int mkv_tar_write(const struct mkv_tree *tree, int fd,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* A tar archive of a tree, POSIX pax interchange format (IEEE Std 1003.1, pax,
 * "pax Interchange Format"), equal bytes for equal trees: entries in the order
 * of a walk, the root first as "./", others relative, "usr/bin/env", a folder
 * with its slash; numeric owners without names; an extended header only with
 * the records that the ustar header can't hold (path, linkpath, size, uid, gid,
 * mtime) and SCHILY.xattr.NAME; ended by two blocks of zeros. */

#include "builder/core/tree/tree.h"

/* Takes the next bytes; negative, with *err set, to stop. */
typedef int mkv_tar_sink(void *context, const void *data, size_t size,
			 struct mkv_error *err);

/* Hands the archive over piece by piece. Uses the inodes' marks. */
int mkv_tar_stream(const struct mkv_tree *tree, mkv_tar_sink *sink,
		   void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* Writes it at the descriptor's position (a pipe will do). */
int mkv_tar_write(const struct mkv_tree *tree, int fd,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes a tree as a cpio archive in the "newc" format, which Linux unpacks as
 * its initramfs (kernel, Documentation/driver-api/early-userspace/
 * buffer-format.rst). Inode numbers count from 1 in the order of the walk,
 * names have no leading slash, the root is left out, hard links share an inode
 * number and the last of them has the content. Times are those of the tree. */

#include "builder/core/tree/tree.h"
#include "lib/buf.h"

/* Appends the archive and its trailer. A time or size that the format can't
 * store is -EFBIG. Changes the inodes' `mark`. */
int mkv_cpio_write(const struct mkv_tree *tree, struct mkv_buf *into,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* What tree.c and inode.c share: how a directory holds its entries. */

#include "builder/core/tree/tree.h"

struct mkv_directory {
	struct mkv_tree_entry *entries; /* ascending byte order of names */
	size_t count;
	size_t capacity;
};

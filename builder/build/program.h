/* SPDX-License-Identifier: MIT */
#pragma once
/* Programs that are installed with the tool. */

#include "builder/core/tree/tree.h"

/* Puts a program at a path, 0755 root:root; the tree takes a reference. */
int mkv_program_put(struct mkv_tree *tree, struct mkv_content *content,
		    const char *path, int64_t epoch_s,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);
/* Opens a program by its name (mkv_paths_program()). */
int mkv_program_content(const char *program, struct mkv_content **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

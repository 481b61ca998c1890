/* SPDX-License-Identifier: MIT */
#pragma once
/* Programs that came with the tool, put into trees. */

#include "builder/tree/tree.h"

/* Puts the program (mkv_place_program()) at a path, 0755 root:root. */
int mkv_program_put(struct mkv_tree *tree, const char *program,
		    const char *path, int64_t epoch_s, struct mkv_error *err)
	mkv_must_check mkv_nonnull(1, 2, 3, 5);
/* Its content. */
int mkv_program_content(const char *program, struct mkv_content **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

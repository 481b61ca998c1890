/* SPDX-License-Identifier: MIT */
#pragma once
/* The configuration files of an image that follow from the recipe. One function
 * a concern, one row of a table in generate.c each. */

#include "builder/core/tree/tree.h"
#include "builder/input/recipe/recipe.h"

/* What generating may look at. */
struct mkv_generate_inputs {
	const struct mkv_recipe *recipe;
	const struct mkv_image *image;
	size_t image_index;
	const uint8_t (*partition_uuids)[16]; /* of image->partitions' file
						 systems, in their order */
};

/* Puts every generated file into the tree. */
int mkv_generate(struct mkv_tree *tree,
		 const struct mkv_generate_inputs *inputs,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

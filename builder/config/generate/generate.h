/* SPDX-License-Identifier: MIT */
#pragma once
/* The configuration files of an image that are generated from the recipe. Each
 * kind of file has a function and a row of the table in generate.c. */

#include "builder/core/tree/tree.h"
#include "builder/input/recipe/recipe.h"

/* The inputs of every generating function. */
struct mkv_generate_inputs {
	const struct mkv_recipe *recipe;
	const struct mkv_image *image;
	size_t image_index;
	/* Of the file systems on image->partitions, in the same order. */
	const uint8_t (*partition_uuids)[16];
};

/* Puts every generated file into the tree. */
int mkv_generate(struct mkv_tree *tree,
		 const struct mkv_generate_inputs *inputs,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Recipes as operands. */

#include "builder/recipe/recipe.h"

/* Loads a recipe. When it isn't right, every complaint is printed to stderr and
 * the error's message is empty. */
int mkv_cmd_load_recipe(const char *path, struct mkv_recipe **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Recipes as operands. */

#include "builder/input/recipe/recipe.h"

/* Overlays and programs as this tool finds them. */
extern const struct mkv_recipe_world mkv_cmd_world;

/* Loads a recipe. When it isn't right, every complaint is printed to stderr and
 * the error's message is empty. */
int mkv_cmd_load_recipe(const char *path, struct mkv_recipe **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The recipe of the same name for emulation, which promises what emulation can
 * keep: emulated/NAME.yaml beside a recipe. NULL (0): there is none. Caller's.
 */
int mkv_cmd_emulated_of(const char *recipe_path, char **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* All recipes of a command line. */
struct mkv_recipes {
	struct mkv_recipe **items;
	size_t count;
};
void mkv_recipes_done(struct mkv_recipes *recipes) mkv_nonnull(1);
#define auto_recipes __attribute__((cleanup(mkv_recipes_done)))

/* Before anything is written: one lock goes with one recipe, two recipes of one
 * name would write one appliance, and OUTPUT/NAME of each is free for it. */
int mkv_cmd_check_recipes(const char *verb, char **paths,
			  const struct mkv_recipes *recipes,
			  const char *lock_path, const char *output,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6);

/* Loads every recipe before anything is done with one, and prints the
 * complaints about all of them. The error is that of the first that isn't
 * right. */
int mkv_cmd_load_recipes(char **paths, int count, struct mkv_recipes *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

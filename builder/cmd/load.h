/* SPDX-License-Identifier: MIT */
#pragma once
/* Recipes as operands. */

#include "builder/input/campaign/campaign.h"
#include "builder/input/recipe/recipe.h"

/* Finds overlays and programs where this tool finds them. */
extern const struct mkv_recipe_world mkv_cmd_world;

/* Loads a recipe. If the recipe has mistakes, every diagnostic is printed to
 * stderr and the error's message is empty. The caller frees *ret. */
int mkv_cmd_load_recipe(const char *path, struct mkv_recipe **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The same of a campaign and the recipes of its arms. */
int mkv_cmd_load_campaign(const char *path, struct mkv_campaign **ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The path of the variant of a recipe that emulation can keep,
 * emulated/NAME.yaml in the recipe's directory; the caller frees it. *ret is
 * NULL (and the result 0) when there is no such file. */
int mkv_cmd_emulated_of(const char *recipe_path, char **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The recipes of a command line. */
struct mkv_recipes {
	struct mkv_recipe **items;
	size_t count;
};
void mkv_recipes_done(struct mkv_recipes *recipes) mkv_nonnull(1);
#define auto_recipes __attribute__((cleanup(mkv_recipes_done)))

/* Checks that are done before anything is written: --lock is given with one
 * recipe only, no two recipes have the same name (and so the same appliance),
 * and OUTPUT/NAME of each is free, empty or an appliance. */
int mkv_cmd_check_recipes(const char *verb, char **paths,
			  const struct mkv_recipes *recipes,
			  const char *lock_path, const char *output,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6);

/* Loads all recipes and prints the diagnostics of all. The error is that of the
 * first recipe that has mistakes. */
int mkv_cmd_load_recipes(char **paths, int count, struct mkv_recipes *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

/* SPDX-License-Identifier: MIT */
#include "builder/cmd/load.h"

#include <string.h>

#include "builder/build/staging.h"
#include "builder/cmd/report.h"
#include "builder/core/paths/paths.h"
#include "builder/input/overlay/overlay.h"

static bool has_overlay(const char *recipe_path, const char *name)
{
	auto_free char *path = NULL;
	struct mkv_error err;
	int rc = mkv_overlay_find(recipe_path, name, &path, &err);
	return rc == 0 || err.kind != MKV_BAD_RECIPE;
}

static bool has_program(const char *name)
{
	auto_free char *program = NULL, *path = NULL;
	struct mkv_error err;
	return asprintf(&program, "programs/%s", name) >= 0 &&
	       mkv_paths_program(program, &path, &err) == 0;
}

const struct mkv_recipe_world mkv_cmd_world = {has_overlay, has_program};

/* Prints the diagnostics of a file that was not loaded. */
static int report_diagnostics(const struct mkv_diagnostics *diagnostics, int rc,
			      struct mkv_error *err)
{
	for (size_t i = 0; rc < 0 && i < diagnostics->count; i++)
		mkv_report_diagnostic(&diagnostics->items[i]);
	if (rc < 0 && diagnostics->count > 0)
		err->message[0] = '\0';
	return rc;
}

int mkv_cmd_load_recipe(const char *path, struct mkv_recipe **ret,
			struct mkv_error *err)
{
	auto_diagnostics struct mkv_diagnostics diagnostics = {0};
	int rc = mkv_recipe_load_in(&mkv_cmd_world, path, ret, &diagnostics,
				    err);
	return report_diagnostics(&diagnostics, rc, err);
}

int mkv_cmd_load_campaign(const char *path, struct mkv_campaign **ret,
			  struct mkv_error *err)
{
	auto_diagnostics struct mkv_diagnostics diagnostics = {0};
	int rc =
		mkv_campaign_load(&mkv_cmd_world, path, ret, &diagnostics, err);
	return report_diagnostics(&diagnostics, rc, err);
}

int mkv_cmd_emulated_of(const char *recipe_path, char **ret,
			struct mkv_error *err)
{
	const char *slash = strrchr(recipe_path, '/');
	int directory = slash ? (int)(slash + 1 - recipe_path) : 0;
	auto_free char *path = NULL;
	*ret = NULL;
	if (asprintf(&path, "%.*semulated/%s", directory, recipe_path,
		     recipe_path + directory) < 0)
		return mkv_oom(err);
	if (access(path, F_OK) == 0)
		*ret = mkv_take(path);
	return 0;
}

void mkv_recipes_done(struct mkv_recipes *recipes)
{
	for (size_t i = 0; i < recipes->count; i++)
		mkv_recipe_free(recipes->items[i]);
	free(recipes->items);
	*recipes = (struct mkv_recipes){0};
}

int mkv_cmd_load_recipes(char **paths, int count, struct mkv_recipes *ret,
			 struct mkv_error *err)
{
	auto_recipes struct mkv_recipes recipes = {0};
	recipes.items = calloc((size_t)count + 1, sizeof(*recipes.items));
	if (!recipes.items)
		return mkv_oom(err);
	int first = 0;
	for (int i = 0; i < count; i++) {
		struct mkv_error one = {0};
		int rc = mkv_cmd_load_recipe(
			paths[i], &recipes.items[recipes.count], &one);
		if (rc == 0) {
			recipes.count++;
			continue;
		}
		/* main prints the first error. */
		if (first < 0)
			mkv_report_error(&one);
		if (first == 0) {
			first = rc;
			*err = one;
		}
	}
	if (first < 0)
		return first;
	*ret = recipes;
	recipes = (struct mkv_recipes){0};
	return 0;
}

static int check_output_places(const char *verb,
			       const struct mkv_recipes *recipes,
			       const char *output, struct mkv_error *err)
{
	for (size_t i = 0; i < recipes->count; i++) {
		auto_free char *place = NULL;
		if (asprintf(&place, "%s/%s", output, recipes->items[i]->name) <
		    0)
			return mkv_oom(err);
		int rc = mkv_staging_check_place(place, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "%s", verb);
	}
	return 0;
}

int mkv_cmd_check_recipes(const char *verb, char **paths,
			  const struct mkv_recipes *recipes,
			  const char *lock_path, const char *output,
			  struct mkv_error *err)
{
	if (lock_path && recipes->count > 1)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"%s: --lock takes exactly one recipe", verb);
	for (size_t i = 0; i < recipes->count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(recipes->items[i]->name,
				   recipes->items[j]->name) == 0)
				return mkv_fail(
					err, MKV_BAD_USAGE, EEXIST,
					"%s: '%s' and '%s' have the same name, "
					"'%s', and would write the same "
					"appliance: nothing was changed",
					verb, paths[j], paths[i],
					recipes->items[i]->name);
	return check_output_places(verb, recipes, output, err);
}

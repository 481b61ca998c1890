/* SPDX-License-Identifier: MIT */
/* mkvbench check: the diagnostics of recipes and campaigns. */

#include <stdio.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/load.h"
#include "builder/cmd/options.h"
#include "builder/cmd/report.h"
#include "builder/input/campaign/campaign.h"
#include "builder/input/recipe/document.h"
#include "builder/input/recipe/schema.h"

struct options {
	bool json, schema, reference, campaigns;
};

/* Prints one line. Takes ownership of `json`; NULL means out of memory. */
static int print_line(json_t *json, struct mkv_error *err)
{
	auto_json json_t *line = json;
	auto_buf struct mkv_buf buf = {0};
	int rc = line ? mkv_json_dump_compact(line, &buf, err) : mkv_oom(err);
	if (rc < 0)
		return rc;
	(void)printf("%s\n", buf.data);
	return 0;
}

static int print_diagnostic(const struct options *options,
			    const struct mkv_diagnostic *c,
			    struct mkv_error *err)
{
	if (options->json)
		return print_line(mkv_report_diagnostic_json(c), err);
	mkv_report_diagnostic(c);
	return 0;
}

static int print_valid(const struct options *options,
		       const struct mkv_recipe *recipe, struct mkv_error *err)
{
	if (!options->json) {
		(void)printf("%s: valid, %s\n", recipe->path, recipe->sha256);
		return 0;
	}
	json_t *files = json_array();
	for (size_t i = 0; i < recipe->files.count; i++)
		files = mkv_document_add(files,
					 json_string(recipe->files.items[i]));
	return print_line(json_pack("{ss ss ss so}", "recipe", recipe->path,
				    "name", recipe->name, "sha256",
				    recipe->sha256, "files", files),
			  err);
}

static int print_valid_campaign(const struct options *options,
				const struct mkv_campaign *campaign,
				struct mkv_error *err)
{
	if (!options->json) {
		(void)printf(
			"%s: valid campaign, %zu runs, %s\n", campaign->path,
			campaign->n_arms * campaign->blocks, campaign->sha256);
		return 0;
	}
	json_t *recipes = json_array();
	for (size_t i = 0; i < campaign->n_recipes; i++)
		recipes = mkv_document_add(
			recipes, json_string(campaign->recipes[i]->path));
	return print_line(json_pack("{ss ss ss si so}", "campaign",
				    campaign->path, "name", campaign->name,
				    "sha256", campaign->sha256, "runs",
				    (int)(campaign->n_arms * campaign->blocks),
				    "recipes", recipes),
			  err);
}

static int check_campaign(const struct options *options, const char *path,
			  struct mkv_diagnostics *diagnostics,
			  struct mkv_error *err)
{
	auto_campaign struct mkv_campaign *campaign = NULL;
	int rc = mkv_campaign_load(&mkv_cmd_world, path, &campaign, diagnostics,
				   err);
	return rc < 0 ? rc : print_valid_campaign(options, campaign, err);
}

static int check_recipe(const struct options *options, const char *path,
			struct mkv_diagnostics *diagnostics,
			struct mkv_error *err)
{
	auto_recipe struct mkv_recipe *recipe = NULL;
	int rc = mkv_recipe_load_in(&mkv_cmd_world, path, &recipe, diagnostics,
				    err);
	return rc < 0 ? rc : print_valid(options, recipe, err);
}

/* 0 when the file is valid; a negative errno with an empty message when its
 * diagnostics were printed. */
static int check_file(const struct options *options, const char *path,
		      struct mkv_error *err)
{
	auto_diagnostics struct mkv_diagnostics diagnostics = {0};
	int rc = mkv_campaign_is(path)
			 ? check_campaign(options, path, &diagnostics, err)
			 : check_recipe(options, path, &diagnostics, err);
	for (size_t i = 0; rc < 0 && i < diagnostics.count; i++) {
		struct mkv_error one = {0};
		if (print_diagnostic(options, &diagnostics.items[i], &one) <
		    0) {
			*err = one;
			return -one.code;
		}
	}
	if (rc < 0 && diagnostics.count > 0)
		err->message[0] = '\0';
	return rc;
}

static int print_document(int (*print)(struct mkv_buf *, struct mkv_error *),
			  struct mkv_error *err)
{
	auto_buf struct mkv_buf buf = {0};
	int rc = print(&buf, err);
	if (rc < 0)
		return rc;
	if (fwrite(buf.data, 1, buf.size, stdout) != buf.size)
		return mkv_fail(err, MKV_FAILED, errno,
				"write standard output: %m");
	return 0;
}

static int check_all(const struct options *options, char **paths, int count,
		     struct mkv_error *err)
{
	int worst = 0;
	for (int i = 0; i < count; i++) {
		struct mkv_error one = {0};
		int rc = check_file(options, paths[i], &one);
		if (rc == 0)
			continue;
		worst = rc;
		*err = one;
		if (one.message[0])
			return rc;
	}
	return worst;
}

int mkv_cmd_check(int argc, char **argv, struct mkv_error *err)
{
	struct options options = {0};
	const struct mkv_option table[] = {
		{"--json", NULL, "print one JSON object per line", NULL,
		 &options.json},
		{"--schema", NULL, "print the recipes' JSON Schema and exit",
		 NULL, &options.schema},
		{"--reference", NULL,
		 "print the list of all keys (docs/RECIPES.md) and exit", NULL,
		 &options.reference},
		{"--campaigns", NULL,
		 "with --schema or --reference: of campaign files", NULL,
		 &options.campaigns},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "RECIPE.yaml ...",
		.description =
			"Reads recipes and the files that they include, and "
			"campaigns and their recipes, and\nreports every mistake "
			"on one line: FILE:LINE:COLUMN: what is wrong and what "
			"is\nallowed. Builds and fetches nothing. A valid recipe "
			"is printed with the SHA-256\nof its values, a valid "
			"campaign with that of its bytes.",
		.options = table,
		.min_operands = 0,
		.max_operands = -1,
	};
	int operands;
	bool done;
	int rc = mkv_options_parse("check", &usage, argc, argv, &operands,
				   &done, err);
	if (rc < 0 || done)
		return rc;
	if (options.schema)
		return print_document(options.campaigns
					      ? mkv_campaign_schema_print
					      : mkv_schema_print,
				      err);
	if (options.reference)
		return print_document(options.campaigns
					      ? mkv_campaign_reference_print
					      : mkv_reference_print,
				      err);
	if (operands == 0)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"usage: mkvbench check [OPTIONS] RECIPE.yaml "
				"...");
	return check_all(&options, argv, operands, err);
}

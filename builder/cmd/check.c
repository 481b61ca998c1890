/* SPDX-License-Identifier: MIT */
/* mkvbench check: is the recipe right? */

#include <stdio.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/load.h"
#include "builder/cmd/options.h"
#include "builder/cmd/report.h"
#include "builder/input/recipe/document.h"
#include "builder/input/recipe/schema.h"

struct options {
	bool json, schema, reference;
};

/* A line of its own. Takes the reference; NULL means that memory ran out. */
static int print_line(json_t *json, struct mkv_error *err)
{
	auto_json json_t *line = json;
	auto_buf struct mkv_buf buf = {0};
	int rc = line ? mkv_json_dump_compact(line, &buf, err) : mkv_oom(err);
	if (rc == 0)
		(void)printf("%s\n", buf.data);
	return rc;
}

static int print_complaint(const struct options *options,
			   const struct mkv_diagnostic *c,
			   struct mkv_error *err)
{
	if (options->json)
		return print_line(mkv_report_complaint_json(c), err);
	mkv_report_complaint(c);
	return 0;
}

static int print_right(const struct options *options,
		       const struct mkv_recipe *recipe, struct mkv_error *err)
{
	if (!options->json) {
		(void)printf("%s: right, %s\n", recipe->path, recipe->sha256);
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

/* 0 when it is right; -EINVAL with an empty message when every complaint was
 * printed. */
static int check_one(const struct options *options, const char *path,
		     struct mkv_error *err)
{
	auto_recipe struct mkv_recipe *recipe = NULL;
	auto_diagnostics struct mkv_diagnostics complaints = {0};
	int rc = mkv_recipe_load_in(&mkv_cmd_world, path, &recipe, &complaints,
				    err);
	if (rc == 0)
		return print_right(options, recipe, err);
	for (size_t i = 0; i < complaints.count; i++) {
		struct mkv_error one = {0};
		if (print_complaint(options, &complaints.items[i], &one) < 0) {
			*err = one;
			return -one.code;
		}
	}
	if (complaints.count > 0)
		err->message[0] = '\0';
	return rc;
}

static int print_document(int (*print)(struct mkv_buf *, struct mkv_error *),
			  struct mkv_error *err)
{
	auto_buf struct mkv_buf buf = {0};
	int rc = print(&buf, err);
	if (rc == 0 && fwrite(buf.data, 1, buf.size, stdout) != buf.size)
		rc = mkv_fail(err, MKV_FAILED, errno, "write: %m");
	return rc;
}

static int check_all(const struct options *options, char **paths, int count,
		     struct mkv_error *err)
{
	int worst = 0;
	for (int i = 0; i < count; i++) {
		struct mkv_error one = {0};
		int rc = check_one(options, paths[i], &one);
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
		{"--json", NULL, "print a JSON object a line", NULL,
		 &options.json},
		{"--schema", NULL, "print the recipes' JSON Schema and end",
		 NULL, &options.schema},
		{"--reference", NULL, "print docs/RECIPES.md and end", NULL,
		 &options.reference},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "RECIPE.yaml ...",
		.description =
			"Reads recipes with all that they include and says "
			"everything that is wrong with\nthem, a line each: "
			"FILE:LINE:COLUMN: what is wrong and what is allowed. "
			"Nothing is\nbuilt or fetched. A recipe that is right "
			"is printed with the SHA-256 of its values.",
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
		return print_document(mkv_schema_print, err);
	if (options.reference)
		return print_document(mkv_reference_print, err);
	if (operands == 0)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"usage: mkvbench check [OPTIONS] RECIPE.yaml "
				"...");
	return check_all(&options, argv, operands, err);
}

/* SPDX-License-Identifier: MIT */
/* mkvbench check: is the recipe right? */

#include <stdio.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/options.h"
#include "builder/recipe/json.h"
#include "builder/recipe/recipe.h"
#include "builder/recipe/schema.h"

struct options {
	bool json, schema, reference;
};

static int print_json(const struct mkv_complaint *c, struct mkv_error *err)
{
	auto_buf struct mkv_buf buf = {0};
	struct mkv_json json = {.to = &buf, .compact = true};
	mkv_json_open(&json, NULL, '{');
	mkv_json_text(&json, "file", c->file);
	mkv_json_number(&json, "line", c->line);
	mkv_json_number(&json, "column", c->column);
	mkv_json_text(&json, "message", c->message);
	mkv_json_close(&json, '}');
	int rc = mkv_buf_check(&buf, err);
	if (rc == 0)
		(void)fputs(buf.data, stdout);
	return rc;
}

static int print_right(const struct options *options,
		       const struct mkv_recipe *recipe, struct mkv_error *err)
{
	auto_buf struct mkv_buf buf = {0};
	struct mkv_json json = {.to = &buf, .compact = true};
	if (!options->json) {
		(void)printf("%s: right, %s\n", recipe->path, recipe->sha256);
		return 0;
	}
	mkv_json_open(&json, NULL, '{');
	mkv_json_text(&json, "recipe", recipe->path);
	mkv_json_text(&json, "name", recipe->name);
	mkv_json_text(&json, "sha256", recipe->sha256);
	mkv_json_open(&json, "files", '[');
	for (size_t i = 0; i < recipe->files.count; i++)
		mkv_json_text(&json, NULL, recipe->files.items[i]);
	mkv_json_close(&json, ']');
	mkv_json_close(&json, '}');
	int rc = mkv_buf_check(&buf, err);
	if (rc == 0)
		(void)fputs(buf.data, stdout);
	return rc;
}

/* 0 when it is right; -EINVAL with an empty message when every complaint was
 * printed. */
static int check_one(const struct options *options, const char *path,
		     struct mkv_error *err)
{
	auto_recipe struct mkv_recipe *recipe = NULL;
	auto_complaints struct mkv_complaints complaints = {0};
	int rc = mkv_recipe_load(path, &recipe, &complaints, err);
	if (rc == 0)
		return print_right(options, recipe, err);
	for (size_t i = 0; i < complaints.count; i++) {
		const struct mkv_complaint *c = &complaints.items[i];
		int printed = 0;
		if (options->json)
			printed = print_json(c, err);
		else
			(void)fprintf(stderr, "%s:%u:%u: %s\n", c->file,
				      c->line, c->column, c->message);
		if (printed < 0)
			return printed;
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

/* SPDX-License-Identifier: MIT */
/* For tests: prints a file that the builder generates for an image, without
 * building the image.
 *
 *     generated RECIPE IMAGE PATH */
#include <stdio.h>
#include <string.h>

#include "builder/config/generate/generate.h"

static int print_file(const struct mkv_tree *tree, const char *path,
		      struct mkv_error *err)
{
	const struct mkv_inode *inode = mkv_tree_lookup(tree, path);
	if (!inode || !inode->content)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"'%s' is not generated", path);
	size_t size = (size_t)mkv_content_size(inode->content);
	auto_free char *text = malloc(size + 1);
	if (!text)
		return mkv_oom(err);
	int rc = mkv_content_read(inode->content, 0, text, size, err);
	if (rc < 0)
		return rc;
	(void)fwrite(text, 1, size, stdout);
	return rc;
}

static int generate_file(char **argv, struct mkv_error *err)
{
	static const uint8_t uuids[8][16];
	auto_diagnostics struct mkv_diagnostics diagnostics = {0};
	auto_recipe struct mkv_recipe *recipe = NULL;
	auto_tree struct mkv_tree *tree = NULL;
	int rc = mkv_recipe_load(argv[1], &recipe, &diagnostics, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < recipe->n_images; i++) {
		if (strcmp(recipe->images[i].name, argv[2]) != 0)
			continue;
		struct mkv_image image = recipe->images[i];
		/* The units to enable are in packages, which are not loaded. */
		image.enable = (struct mkv_strings){0};
		const struct mkv_generate_inputs inputs = {recipe, &image, i,
							   uuids};
		rc = mkv_tree_new(1, &tree, err);
		if (rc == 0)
			rc = mkv_generate(tree, &inputs, err);
		return rc < 0 ? rc : print_file(tree, argv[3], err);
	}
	return mkv_fail(err, MKV_BAD_USAGE, ENOENT, "no image '%s'", argv[2]);
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	if (argc != 4) {
		fputs("usage: generated RECIPE IMAGE PATH\n", stderr);
		return 2;
	}
	if (generate_file(argv, &err) == 0)
		return 0;
	fprintf(stderr, "%s\n", err.message);
	return mkv_exit_status(err.kind);
}

/* SPDX-License-Identifier: MIT */
#pragma once
/* The recipe's `settings`: for each the contract's promise and how the image
 * applies it. A parameter on the kernel's command line is preferred because it
 * holds from the start of the boot; otherwise a text is written to files of the
 * kernel. */

#include "builder/input/recipe/recipe.h"

enum { MKV_PROMISES_MAX = 16, MKV_PROMISE_FILES_MAX = 4 };

struct mkv_promise {
	const char *key, *value; /* as in the contract's "settings" */
	char word[96];		 /* on the command line; "": none */
	/* Globs, and the text for each file that matches; ends with a NULL
	 * path. */
	struct {
		const char *path, *text;
	} files[MKV_PROMISE_FILES_MAX];
};

/* The promises of an image in the order of their keys; returns their number.
 * Texts are borrowed from the recipe. A guest does not promise settings of the
 * physical machine. */
size_t mkv_settings_promised(const struct mkv_recipe *recipe,
			     const struct mkv_image *image,
			     struct mkv_promise ret[static MKV_PROMISES_MAX])
	mkv_nonnull(1, 2, 3);

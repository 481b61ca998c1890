/* SPDX-License-Identifier: MIT */
#pragma once
/* The recipe's `settings`, each as what the contract promises and how the image
 * brings it about: a word on the kernel's command line where there is one (it
 * holds from the first moment), else a text written to files of the kernel's.
 */

#include "builder/input/recipe/recipe.h"

enum { MKV_PROMISES_MAX = 16, MKV_PROMISE_FILES_MAX = 4 };

struct mkv_promise {
	const char *key, *value; /* as in the contract's "settings" */
	char word[96];		 /* "": none */
	/* Globs and what is written to each file that is there; ends with a
	 * NULL path. */
	struct {
		const char *path, *text;
	} files[MKV_PROMISE_FILES_MAX];
};

/* What an image promises of its settings, in the order of their keys; how many.
 * Texts are the recipe's. A guest doesn't promise what only a machine has. */
size_t mkv_settings_promised(const struct mkv_recipe *recipe,
			     const struct mkv_image *image,
			     struct mkv_promise ret[static MKV_PROMISES_MAX])
	mkv_nonnull(1, 2, 3);

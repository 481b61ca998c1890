/* SPDX-License-Identifier: MIT */
#include "builder/recipe/load.h"

void mkv_cross_check(struct mkv_load *load, const struct mkv_node *root,
		     const struct mkv_recipe *recipe)
{
	(void)load;
	(void)root;
	(void)recipe;
}

/* SPDX-License-Identifier: MIT */
#pragma once
/* What the parts of the campaign module share. */

#include "builder/input/campaign/campaign.h"
#include "builder/input/recipe/load.h"
#include "builder/input/recipe/schema.h"

extern const struct mkv_table mkv_schema_campaign;

/* Loads the recipe of each arm and adds it to the campaign. A recipe that is
 * not valid is a diagnostic at the arm. Negative only when out of memory. */
int mkv_campaign_load_recipes(struct mkv_recipe_loader *load,
			      const struct mkv_node *root,
			      struct mkv_campaign *campaign,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* The rules that relate several keys: of the file alone, and between the file
 * and the recipes of its arms. Add diagnostics. */
void mkv_campaign_check_arms(struct mkv_recipe_loader *load,
			     const struct mkv_node *root,
			     const struct mkv_campaign *campaign)
	mkv_nonnull(1, 2, 3);
void mkv_campaign_check_recipes(struct mkv_recipe_loader *load,
				const struct mkv_node *root,
				const struct mkv_campaign *campaign)
	mkv_nonnull(1, 2, 3);

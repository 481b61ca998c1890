/* SPDX-License-Identifier: MIT */
/* Names of overlays and of mkvbench's programs, which are outside the recipe's
 * files. */
#include "builder/input/recipe/cross.h"

static void check_overlays(const struct mkv_cross *c, const char *kind,
			   const char *name, const struct mkv_strings *overlays)
{
	const struct mkv_recipe_world *world = c->load->world;
	for (size_t i = 0; i < overlays->count; i++)
		if (!world->has_overlay(c->load->path, overlays->items[i]))
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "%s.%s.overlays.%zu", kind,
					       name, i),
				"overlay '%s' not found: no directory "
				"overlays/%s next to the recipe, up to two "
				"directories above it, or installed with "
				"mkvbench",
				overlays->items[i], overlays->items[i]);
}

static void check_programs(const struct mkv_cross *c, const char *kind,
			   const char *name, const struct mkv_strings *programs)
{
	const struct mkv_recipe_world *world = c->load->world;
	for (size_t i = 0; i < programs->count; i++)
		if (!world->has_program(programs->items[i]))
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "%s.%s.programs.%zu", kind,
					       name, i),
				"unknown program '%s': not one of mkvbench's "
				"programs",
				programs->items[i]);
}

void mkv_cross_outside(const struct mkv_cross *c)
{
	const struct mkv_recipe *r = c->recipe;
	if (!c->load->world)
		return;
	for (size_t i = 0; i < r->n_images; i++) {
		const struct mkv_image *image = &r->images[i];
		check_overlays(c, "images", image->name, &image->overlays);
		check_programs(c, "images", image->name, &image->programs);
	}
	for (size_t i = 0; i < r->n_oci_images; i++) {
		const struct mkv_oci_image *oci = &r->oci_images[i];
		check_overlays(c, "oci", oci->name, &oci->overlays);
		check_programs(c, "oci", oci->name, &oci->programs);
	}
}

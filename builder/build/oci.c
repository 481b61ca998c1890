/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/build/steps/steps.h"
#include "builder/core/tree/diff.h"
#include "builder/format/oci/layer.h"

/* The image configuration from the recipe, whose strings it borrows. */
static struct mkv_oci_config config_of(const struct mkv_oci_image *recipe,
				       int64_t epoch_s)
{
	return (struct mkv_oci_config){
		.user = recipe->user,
		.entrypoint = recipe->entrypoint,
		.command = recipe->command,
		.environment = recipe->environment,
		.volumes = recipe->volumes,
		.ports = recipe->ports,
		.labels = recipe->labels,
		.working_dir = recipe->working_dir,
		.stop_signal = recipe->stop_signal,
		.epoch_s = epoch_s,
	};
}

/* The second layer: what overlays and programs change in the first. */
static int add_second_layer(const struct mkv_build *build,
			    const struct mkv_oci_image *recipe,
			    struct mkv_build_oci_image *image,
			    struct mkv_error *err)
{
	auto_tree struct mkv_tree *whole = NULL;
	int rc = mkv_tree_clone(image->trees[0], &whole, err);
	if (rc < 0)
		return rc;
	rc = mkv_build_overlays(build, &recipe->overlays, whole, err);
	if (rc < 0)
		return rc;
	rc = mkv_build_programs(build, &recipe->programs, whole, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_diff(image->trees[0], whole, &image->trees[1], err);
	if (rc < 0)
		return rc;
	return mkv_oci_layer_new(image->trees[1], MKV_BUILD_LAYER_LEVEL,
				 mkv_store_path(build->store),
				 &image->layers[1], err);
}

static int build_layers(const struct mkv_build *build,
			const struct mkv_oci_image *recipe,
			const struct mkv_sha256 *pack,
			struct mkv_build_oci_image *image,
			struct mkv_error *err)
{
	int rc = mkv_build_package_layer(build, pack, image->trees[0],
					 &image->layers[0], err);
	if (rc < 0)
		return rc;
	rc = add_second_layer(build, recipe, image, err);
	if (rc < 0)
		return rc;
	struct mkv_oci_config config = config_of(recipe, build->lock->epoch_s);
	const struct mkv_oci_layer *layers[] = {image->layers[0],
						image->layers[1]};
	return mkv_oci_image_new(recipe->name, "pinned", &config, layers,
				 MKV_BUILD_OCI_LAYERS, &image->built, err);
}

static int build_image(const struct mkv_build *build,
		       const struct mkv_oci_image *recipe,
		       struct mkv_build_oci_image *ret, struct mkv_error *err)
{
	char set[256];
	(void)snprintf(set, sizeof(set), "oci/%s", recipe->name);
	struct mkv_sha256 pack;
	int rc = mkv_build_rootfs(build, set, &ret->trees[0], &pack, err);
	if (rc < 0)
		return rc;
	auto_progress_step struct mkv_progress_step step = mkv_progress_begin(
		build->progress, 0, "OCI image %s", recipe->name);
	rc = build_layers(build, recipe, &pack, ret, err);
	mkv_progress_end(&step, rc, NULL);
	ret->image = ret->built;
	return rc;
}

/* Opens the image that mkv_lock_fetch() put into the store. */
static int open_external(const struct mkv_build *build,
			 const struct mkv_oci_image *recipe,
			 struct mkv_build_oci_image *ret, struct mkv_error *err)
{
	const char *digest = NULL;
	for (size_t i = 0; i < build->lock->n_externals; i++)
		if (strcmp(build->lock->externals[i].reference,
			   recipe->external) == 0)
			digest = build->lock->externals[i].digest;
	if (!digest)
		return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
				"the lock has no digest of '%s': run `mkvbench "
				"lock --update`",
				recipe->external);
	auto_free char *directory = NULL;
	int rc = mkv_oci_external_keep(build->store, recipe->external, digest,
				       true, &directory, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_external_open(directory, digest, recipe->name, "pinned",
				   mkv_store_path(build->store), &ret->external,
				   err);
	if (rc < 0)
		return rc;
	ret->image = mkv_oci_external_image(ret->external);
	return 0;
}

int mkv_build_oci_images(const struct mkv_build *build,
			 struct mkv_build_oci *ret, struct mkv_error *err)
{
	const struct mkv_recipe *recipe = build->recipe;
	auto_build_oci struct mkv_build_oci oci = {0};
	oci.images = calloc(recipe->n_oci_images ? recipe->n_oci_images : 1,
			    sizeof(*oci.images));
	if (!oci.images)
		return mkv_oom(err);
	oci.count = recipe->n_oci_images;
	for (size_t i = 0; i < oci.count; i++) {
		const struct mkv_oci_image *image = &recipe->oci_images[i];
		int rc = image->external ? open_external(build, image,
							 &oci.images[i], err)
					 : build_image(build, image,
						       &oci.images[i], err);
		if (rc < 0)
			return mkv_wrap(err, rc, "OCI image '%s'", image->name);
	}
	*ret = oci;
	oci = (struct mkv_build_oci){0};
	return 0;
}

void mkv_build_oci_done(struct mkv_build_oci *oci)
{
	for (size_t i = 0; i < oci->count; i++) {
		struct mkv_build_oci_image *image = &oci->images[i];
		mkv_oci_external_free(image->external);
		mkv_oci_built_free(image->built);
		for (size_t j = 0; j < MKV_BUILD_OCI_LAYERS; j++)
			mkv_oci_layer_free(image->layers[j]);
		for (size_t j = 0; j < MKV_BUILD_OCI_LAYERS; j++)
			mkv_tree_free(image->trees[j]);
	}
	free(oci->images);
	*oci = (struct mkv_build_oci){0};
}

/* SPDX-License-Identifier: MIT */
#include "builder/build/steps/steps.h"

#include "builder/format/oci/layer.h"

enum { LAYER_VERSION = 1 };

int mkv_build_layer_step(const struct mkv_sha256 *pack, struct mkv_step *ret,
			 struct mkv_error *err)
{
	int rc = mkv_step_init(ret, "layer", LAYER_VERSION, err, "layer");
	if (rc < 0)
		return rc;
	mkv_step_input(ret, "level", "%d", MKV_BUILD_LAYER_LEVEL);
	mkv_step_input_sha256(ret, "pack", pack);
	return 0;
}

int mkv_build_package_layer(const struct mkv_build *build,
			    const struct mkv_sha256 *pack,
			    struct mkv_tree *tree, struct mkv_oci_layer **ret,
			    struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	struct mkv_sha256 key;
	int rc = mkv_build_layer_step(pack, &step, err);
	if (rc < 0)
		return rc;
	rc = mkv_step_key(&step, &key, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_layer_load(build->store, &key, tree, ret, err);
	if (rc != -ENOENT)
		return rc;
	rc = mkv_oci_layer_new(tree, MKV_BUILD_LAYER_LEVEL,
			       mkv_store_path(build->store), ret, err);
	return rc < 0 ? rc : mkv_oci_layer_save(*ret, build->store, &key, err);
}

/* SPDX-License-Identifier: MIT */
#pragma once
/* An OCI image in memory: its configuration (image-spec 1.1, config.md) and
 * manifest (manifest.md) as canonical JSON, and its layers. Layers are
 * borrowed: several images share them. */

#include "builder/format/oci/layer.h"
#include "lib/buf.h"
#include "lib/strings.h"

/* How a container of the image runs. All members are borrowed. */
struct mkv_oci_config {
	const char *user; /* "postgres", "101:103"; NULL: root */
	struct mkv_strings entrypoint, command;
	struct mkv_settings environment;
	struct mkv_strings volumes; /* paths */
	struct mkv_strings ports;   /* "5432/tcp" or "5432" */
	struct mkv_settings labels;
	const char *working_dir, *stop_signal;
	int64_t epoch_s; /* `created` of the image and of its history */
};

struct mkv_oci_built {
	char *name, *tag;
	char *config; /* JSON; its SHA-256 is Docker's image id */
	size_t config_size;
	char *manifest;
	size_t manifest_size;
	struct mkv_sha256 config_digest, manifest_digest;
	const struct mkv_oci_layer **layers; /* lowest first */
	size_t n_layers;
};

void mkv_oci_built_free(struct mkv_oci_built *image);
MKV_DEFINE_AUTO(oci_built, struct mkv_oci_built *, mkv_oci_built_free)
#define auto_oci_built mkv_auto(oci_built)

/* Makes an image with its own configuration and manifest. A name or tag that
 * Docker does not accept, and fewer than 1 or more than 120 layers, are
 * MKV_BAD_RECIPE. */
int mkv_oci_image_new(const char *name, const char *tag,
		      const struct mkv_oci_config *config,
		      const struct mkv_oci_layer *const *layers,
		      size_t n_layers, struct mkv_oci_built **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 6, 7);

/* Makes an image from an existing configuration, which is kept byte for byte.
 * The manifest is kept as well; NULL: a new manifest is made. */
int mkv_oci_image_adopt(const char *name, const char *tag,
			const struct mkv_buf *config,
			const struct mkv_buf *manifest,
			const struct mkv_oci_layer *const *layers,
			size_t n_layers, struct mkv_oci_built **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 7, 8);

/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "builder/format/oci/external_internal.h"
#include "builder/format/oci/layer_read.h"
#include "lib/json.h"

enum { LAYERS_MAX = 120 };

struct mkv_oci_external {
	struct mkv_oci_read_layer layers[LAYERS_MAX];
	size_t n_layers;
	struct mkv_oci_built *image;
};

void mkv_oci_external_free(struct mkv_oci_external *external)
{
	if (!external)
		return;
	mkv_oci_built_free(external->image);
	for (size_t i = 0; i < external->n_layers; i++)
		mkv_oci_read_layer_done(&external->layers[i]);
	free(external);
}

const struct mkv_oci_built *
mkv_oci_external_image(const struct mkv_oci_external *external)
{
	return external->image;
}

/* OCI's media type for a layer of Docker's or OCI's media type; NULL for
 * others. */
static const char *oci_layer_type(const char *type)
{
	static const struct {
		const char *type, *oci_type;
	} rows[] = {
		{"application/vnd.docker.image.rootfs.diff.tar.gzip",
		 "application/vnd.oci.image.layer.v1.tar+gzip"},
		{"application/vnd.oci.image.layer.v1.tar+gzip",
		 "application/vnd.oci.image.layer.v1.tar+gzip"},
		{"application/vnd.oci.image.layer.v1.tar",
		 "application/vnd.oci.image.layer.v1.tar"},
		{"application/vnd.oci.image.layer.v1.tar+zstd",
		 "application/vnd.oci.image.layer.v1.tar+zstd"},
	};
	for (size_t i = 0; type && i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].type, type) == 0)
			return rows[i].oci_type;
	return NULL;
}

static int append_layer(struct mkv_oci_external *external, const char *dir,
			const json_t *descriptor, const json_t *diff_id,
			const char *scratch, struct mkv_error *err)
{
	struct mkv_sha256 digest, stream;
	const char *text =
		json_string_value(json_object_get(descriptor, "digest"));
	const char *listed =
		json_string_value(json_object_get(descriptor, "mediaType"));
	const char *type = oci_layer_type(listed);
	int fd = -1;
	if (!type)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"unsupported media type '%.100s'",
				listed ? listed : "");
	int rc = mkv_oci_external_digest(text, &digest, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_external_digest(json_string_value(diff_id), &stream, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_external_blob(dir, text + 7, &digest, &fd, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_layer_read(fd, &digest, &stream, type, scratch,
				&external->layers[external->n_layers], err);
	if (rc < 0)
		return rc;
	external->n_layers++;
	return 0;
}

static int read_layers(struct mkv_oci_external *external, const char *dir,
		       const json_t *manifest, const json_t *config,
		       const char *scratch, struct mkv_error *err)
{
	const json_t *layers = json_object_get(manifest, "layers");
	const json_t *diff_ids =
		json_object_get(json_object_get(config, "rootfs"), "diff_ids");
	size_t count = json_array_size(layers);
	if (count == 0 || count > LAYERS_MAX ||
	    count != json_array_size(diff_ids))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"the manifest has %zu layers and the "
				"configuration has %zu diffIDs: expected equal "
				"numbers from 1 to %d",
				count, json_array_size(diff_ids), LAYERS_MAX);
	for (size_t i = 0; i < count; i++) {
		const json_t *descriptor = json_array_get(layers, i);
		int rc =
			append_layer(external, dir, descriptor,
				     json_array_get(diff_ids, i), scratch, err);
		const char *digest = json_string_value(
			json_object_get(descriptor, "digest"));
		if (rc < 0)
			return mkv_wrap(err, rc, "layer %.20s",
					digest ? digest : "?");
	}
	return 0;
}

static int check_platform(const json_t *config, struct mkv_error *err)
{
	const char *os = "", *architecture = "";
	(void)json_unpack((json_t *)(uintptr_t)config, "{s:s, s:s}", "os", &os,
			  "architecture", &architecture);
	return strcmp(os, "linux") == 0 && strcmp(architecture, "amd64") == 0
		       ? 0
		       : mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				  "the image is for %.20s/%.20s, not "
				  "linux/amd64",
				  os, architecture);
}

/* `name`: of the file; NULL: a blob, named by its digest. */
static int read_json(const char *dir, const char *name, const char *digest,
		     struct mkv_buf *ret_text, json_t **ret,
		     struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	int rc = mkv_oci_external_digest(digest, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_external_text(dir, name ? name : digest + 7, &sha256,
				   ret_text, err);
	return rc < 0 ? rc
		      : mkv_json_load(ret_text->data, ret_text->size, ret, err);
}

static int read_image(struct mkv_oci_external *external, const char *dir,
		      const char *digest, const char *name, const char *tag,
		      const char *scratch, struct mkv_error *err)
{
	auto_buf struct mkv_buf manifest_text = {0}, config_text = {0};
	auto_json json_t *manifest = NULL, *config = NULL;
	int rc = read_json(dir, "manifest.json", digest, &manifest_text,
			   &manifest, err);
	if (rc < 0)
		return rc;
	const char *config_digest = json_string_value(
		json_object_get(json_object_get(manifest, "config"), "digest"));
	rc = read_json(dir, NULL, config_digest, &config_text, &config, err);
	if (rc < 0)
		return rc;
	rc = check_platform(config, err);
	if (rc < 0)
		return rc;
	rc = read_layers(external, dir, manifest, config, scratch, err);
	if (rc < 0)
		return rc;
	const struct mkv_oci_layer *layers[LAYERS_MAX];
	for (size_t i = 0; i < external->n_layers; i++)
		layers[i] = external->layers[i].layer;
	const char *type =
		json_string_value(json_object_get(manifest, "mediaType"));
	bool is_oci = type && strcmp(type, "application/vnd.oci.image."
					   "manifest.v1+json") == 0;
	return mkv_oci_image_adopt(name, tag, &config_text,
				   is_oci ? &manifest_text : NULL, layers,
				   external->n_layers, &external->image, err);
}

int mkv_oci_external_open(const char *dir, const char *digest, const char *name,
			  const char *tag, const char *scratch,
			  struct mkv_oci_external **ret, struct mkv_error *err)
{
	auto_oci_external struct mkv_oci_external *external =
		calloc(1, sizeof(*external));
	if (!external)
		return mkv_oom(err);
	int rc = read_image(external, dir, digest, name, tag, scratch, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "external OCI image '%s'", name);
	*ret = mkv_take(external);
	return 0;
}

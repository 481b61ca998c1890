/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/layout.h"

#include <string.h>
#include <unistd.h>

#include "lib/grow.h"
#include "lib/io.h"
#include "lib/json.h"

struct reference {
	char *name; /* NAME:TAG */
	struct mkv_sha256 digest;
	size_t size;
};

struct mkv_oci_layout {
	char *path;
	struct reference *references; /* sorted by name */
	size_t count;
};

void mkv_oci_layout_free(struct mkv_oci_layout *layout)
{
	if (!layout)
		return;
	for (size_t i = 0; i < layout->count; i++)
		free(layout->references[i].name);
	free(layout->references);
	free(layout->path);
	free(layout);
}

static int build_path(const struct mkv_oci_layout *layout, struct mkv_buf *ret,
		      const char *below, struct mkv_error *err)
{
	mkv_buf_printf(ret, "%s/%s", layout->path, below);
	return mkv_buf_check(ret, err);
}

static int check_empty(const char *path, struct mkv_error *err)
{
	auto_dir DIR *dir = opendir(path);
	if (!dir)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return mkv_fail(err, MKV_FAILED, ENOTEMPTY,
					"'%s' is not empty", path);
	return 0;
}

static int make_directories(const struct mkv_oci_layout *layout,
			    struct mkv_error *err)
{
	auto_buf struct mkv_buf blobs = {0};
	int rc = mkv_make_dirs(layout->path, err);
	if (rc < 0)
		return rc;
	rc = check_empty(layout->path, err);
	if (rc < 0)
		return rc;
	rc = build_path(layout, &blobs, "blobs/sha256", err);
	return rc < 0 ? rc : mkv_make_dirs(blobs.data, err);
}

int mkv_oci_layout_new(const char *path, struct mkv_oci_layout **ret,
		       struct mkv_error *err)
{
	auto_oci_layout struct mkv_oci_layout *layout =
		calloc(1, sizeof(*layout));
	if (!layout || !(layout->path = strdup(path)))
		return mkv_oom(err);
	int rc = make_directories(layout, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "OCI layout");
	*ret = mkv_take(layout);
	return 0;
}

static int put_blob(const struct mkv_oci_layout *layout,
		    const struct mkv_sha256 *digest,
		    const struct mkv_content *content, struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE];
	auto_buf struct mkv_buf path = {0};
	mkv_sha256_hex(digest, hex);
	mkv_buf_printf(&path, "%s/blobs/sha256/%s", layout->path, hex);
	int rc = mkv_buf_check(&path, err);
	if (rc < 0 || access(path.data, F_OK) == 0)
		return rc;
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	rc = mkv_newfile_open(path.data, 0644, &file, err);
	if (rc < 0)
		return rc;
	rc = mkv_content_copy_to(content, file.fd, 0, err);
	return rc < 0 ? rc : mkv_newfile_place(&file, err);
}

static int put_text(const struct mkv_oci_layout *layout,
		    const struct mkv_sha256 *digest, const char *text,
		    size_t size, struct mkv_error *err)
{
	auto_content struct mkv_content *content =
		mkv_content_bytes(text, size);
	if (!content)
		return mkv_oom(err);
	return put_blob(layout, digest, content, err);
}

static int add_reference(struct mkv_oci_layout *layout,
			 const struct mkv_oci_built *image,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf name = {0};
	mkv_buf_printf(&name, "%s:%s", image->name, image->tag);
	int rc = mkv_buf_check(&name, err);
	if (rc < 0)
		return rc;
	size_t at = layout->count;
	for (; at > 0; at--) {
		int order = strcmp(layout->references[at - 1].name, name.data);
		if (order == 0)
			return mkv_fail(err, MKV_BAD_RECIPE, EEXIST,
					"two OCI images are named '%s'",
					name.data);
		if (order < 0)
			break;
	}
	auto_free char *own_name = mkv_buf_take(&name);
	if (!own_name)
		return mkv_oom(err);
	struct reference *last = mkv_grow(&layout->references, &layout->count);
	if (!last)
		return mkv_oom(err);
	struct reference *place = layout->references + at;
	memmove(place + 1, place, (size_t)(last - place) * sizeof(*place));
	*place = (struct reference){mkv_take(own_name), image->manifest_digest,
				    image->manifest_size};
	return 0;
}

static int put_image(struct mkv_oci_layout *layout,
		     const struct mkv_oci_built *image, struct mkv_error *err)
{
	int rc = add_reference(layout, image, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < image->n_layers; i++) {
		rc = put_blob(layout, &image->layers[i]->digest,
			      image->layers[i]->blob, err);
		if (rc < 0)
			return rc;
	}
	rc = put_text(layout, &image->config_digest, image->config,
		      image->config_size, err);
	return rc < 0 ? rc
		      : put_text(layout, &image->manifest_digest,
				 image->manifest, image->manifest_size, err);
}

int mkv_oci_layout_add(struct mkv_oci_layout *layout,
		       const struct mkv_oci_built *image, struct mkv_error *err)
{
	int rc = put_image(layout, image, err);
	return rc < 0 ? mkv_wrap(err, rc, "OCI layout '%s'", layout->path) : 0;
}

static int put_json(const struct mkv_oci_layout *layout, const char *name,
		    const json_t *json, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0}, text = {0};
	int rc = build_path(layout, &path, name, err);
	if (rc < 0)
		return rc;
	rc = mkv_json_dump(json, &text, err);
	return rc < 0 ? rc
		      : mkv_place_file(path.data, 0644, text.data, text.size,
				       err);
}

int mkv_oci_layout_finish(struct mkv_oci_layout *layout, struct mkv_error *err)
{
	json_t *manifests = json_array();
	for (size_t i = 0; i < layout->count; i++) {
		const struct reference *ref = &layout->references[i];
		char hex[MKV_SHA256_HEX_SIZE];
		mkv_sha256_hex(&ref->digest, hex);
		json_array_append_new(
			manifests,
			json_pack("{sssosIs{ssss}s{ss}}", "mediaType",
				  "application/vnd.oci.image.manifest.v1+json",
				  "digest", json_sprintf("sha256:%s", hex),
				  "size", (json_int_t)ref->size, "platform",
				  "architecture", "amd64", "os", "linux",
				  "annotations",
				  "org.opencontainers.image.ref.name",
				  ref->name));
	}
	auto_json json_t *index =
		json_pack("{sisssO}", "schemaVersion", 2, "mediaType",
			  "application/vnd.oci.image.index.v1+json",
			  "manifests", manifests);
	json_decref(manifests);
	auto_json json_t *marker =
		json_pack("{ss}", "imageLayoutVersion", "1.0.0");
	if (!index || !marker)
		return mkv_oom(err);
	int rc = put_json(layout, "index.json", index, err);
	rc = rc < 0 ? rc : put_json(layout, "oci-layout", marker, err);
	return rc < 0 ? mkv_wrap(err, rc, "OCI layout '%s'", layout->path) : 0;
}

/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/docker_root.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "builder/format/oci/docker_layer.h"
#include "lib/json.h"

#define DOCKER "/var/lib/docker"
#define LAYERDB DOCKER "/image/overlay2/layerdb/sha256/"
#define IMAGEDB DOCKER "/image/overlay2/imagedb/content/sha256/"

int mkv_oci_chain_id(const struct mkv_oci_layer *const *layers, size_t n,
		     struct mkv_sha256 *ret, struct mkv_error *err)
{
	if (n == 0)
		return mkv_fail(err, MKV_FAILED, EINVAL, "no layers");
	struct mkv_sha256 chain = layers[0]->diff_id;
	for (size_t i = 1; i < n; i++) {
		char below[MKV_SHA256_HEX_SIZE], own[MKV_SHA256_HEX_SIZE];
		char text[160];
		mkv_sha256_hex(&chain, below);
		mkv_sha256_hex(&layers[i]->diff_id, own);
		int length = snprintf(text, sizeof(text), "sha256:%s sha256:%s",
				      below, own);
		int rc = mkv_sha256_bytes(text, (size_t)length, &chain, err);
		if (rc < 0)
			return rc;
	}
	*ret = chain;
	return 0;
}

static int make_folder(struct mkv_tree *root, const char *path, mode_t mode,
		       struct mkv_error *err)
{
	int rc = mkv_tree_make_dirs(root, path, err);
	if (rc == 0)
		mkv_tree_lookup(root, path)->mode = S_IFDIR | mode;
	return rc;
}

/* Docker's own permissions, as the daemon would make them. */
static int make_folders(struct mkv_tree *root, struct mkv_error *err)
{
	static const struct {
		const char *path;
		mode_t mode;
	} folders[] = {
		{DOCKER, 0710},
		{DOCKER "/image", 0700},
		{DOCKER "/image/overlay2", 0700},
		{DOCKER "/image/overlay2/imagedb", 0700},
		{DOCKER "/image/overlay2/imagedb/content", 0700},
		{DOCKER "/image/overlay2/imagedb/content/sha256", 0700},
		{DOCKER "/image/overlay2/layerdb", 0700},
		{DOCKER "/image/overlay2/layerdb/sha256", 0755},
		{DOCKER "/overlay2", 0710},
		{DOCKER "/overlay2/l", 0710},
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(*folders);
	     i++)
		rc = make_folder(root, folders[i].path, folders[i].mode, err);
	return rc;
}

/* A chain's folder in the layer store and in overlay2, and its link. */
struct names {
	char chain[MKV_SHA256_HEX_SIZE];
	char cache[MKV_SHA256_HEX_SIZE];
	char link[27]; /* Docker's: 26 characters of base32 */
};

static int derive_names(const struct mkv_sha256 *chain, struct names *ret,
			struct mkv_error *err)
{
	static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	struct mkv_sha256 cache;
	char text[128];
	mkv_sha256_hex(chain, ret->chain);
	int length = snprintf(text, sizeof(text), "mkvbench overlay2 %s",
			      ret->chain);
	int rc = mkv_sha256_bytes(text, (size_t)length, &cache, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&cache, ret->cache);
	for (unsigned i = 0; i < 26; i++)
		ret->link[i] = base32[cache.bytes[i] & 31];
	ret->link[26] = '\0';
	return 0;
}

static int put_text(struct mkv_tree *root, mode_t mode, const char *text,
		    struct mkv_error *err, const char *format, ...)
	mkv_printf(5, 6);
static int put_text(struct mkv_tree *root, mode_t mode, const char *text,
		    struct mkv_error *err, const char *format, ...)
{
	char path[512];
	va_list ap;
	va_start(ap, format);
	vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	return mkv_tree_put_file(root, path, mode, text, strlen(text), err);
}

static int put_tar_split(struct mkv_tree *root, const struct names *names,
			 const struct mkv_oci_layer *layer,
			 struct mkv_error *err)
{
	char path[512];
	snprintf(path, sizeof(path), LAYERDB "%s/tar-split.json.gz",
		 names->chain);
	int64_t mtime_s = mkv_tree_root(root)->mtime_s;
	auto_inode struct mkv_inode *inode = mkv_inode_file(
		0644, 0, 0, mtime_s, mkv_content_ref(layer->tar_split));
	if (!inode) {
		mkv_content_unref(layer->tar_split);
		return mkv_oom(err);
	}
	return mkv_tree_put(root, path, inode, err);
}

static int put_layerdb(struct mkv_tree *root, const struct names *names,
		       const struct names *parent,
		       const struct mkv_oci_layer *layer, struct mkv_error *err)
{
	char text[128], hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&layer->diff_id, hex);
	snprintf(text, sizeof(text), "sha256:%s", hex);
	int rc = put_text(root, 0644, text, err, LAYERDB "%s/diff",
			  names->chain);
	snprintf(text, sizeof(text), "%" PRIu64, layer->files_size_bytes);
	if (rc == 0)
		rc = put_text(root, 0644, text, err, LAYERDB "%s/size",
			      names->chain);
	if (rc == 0)
		rc = put_text(root, 0644, names->cache, err,
			      LAYERDB "%s/cache-id", names->chain);
	if (rc == 0 && parent) {
		snprintf(text, sizeof(text), "sha256:%s", parent->chain);
		rc = put_text(root, 0644, text, err, LAYERDB "%s/parent",
			      names->chain);
	}
	if (rc == 0)
		rc = put_tar_split(root, names, layer, err);
	return rc;
}

/* `lower` lists what is below, nearest first, "l/A:l/B", and grows by this
 * layer at its front. */
static int put_overlay(struct mkv_tree *root, const struct names *names,
		       const struct mkv_oci_layer *layer, struct mkv_buf *lower,
		       struct mkv_error *err)
{
	char path[256], target[160];
	const char *cache = names->cache;
	snprintf(path, sizeof(path), DOCKER "/overlay2/%s", cache);
	int rc = make_folder(root, path, 0710, err);
	if (rc == 0)
		rc = put_text(root, 0644, names->link, err,
			      DOCKER "/overlay2/%s/link", cache);
	if (rc == 0)
		rc = put_text(root, 0600, "", err,
			      DOCKER "/overlay2/%s/committed", cache);
	if (rc == 0 && lower->size) {
		rc = put_text(root, 0644, lower->data, err,
			      DOCKER "/overlay2/%s/lower", cache);
		snprintf(path, sizeof(path), DOCKER "/overlay2/%s/work", cache);
		if (rc == 0)
			rc = make_folder(root, path, 0700, err);
	}
	snprintf(path, sizeof(path), DOCKER "/overlay2/l/%s", names->link);
	snprintf(target, sizeof(target), "../%s/diff", cache);
	if (rc == 0)
		rc = mkv_tree_put_symlink(root, path, target, err);
	snprintf(path, sizeof(path), DOCKER "/overlay2/%s/diff", cache);
	if (rc == 0)
		rc = mkv_docker_layer_put(root, path, layer->tree, err);
	return rc;
}

static int grow_lower(struct mkv_buf *lower, const char *link,
		      struct mkv_error *err)
{
	auto_buf struct mkv_buf grown = {0};
	mkv_buf_printf(&grown, "l/%s%s%s", link, lower->size ? ":" : "",
		       lower->size ? lower->data : "");
	int rc = mkv_buf_check(&grown, err);
	if (rc < 0)
		return rc;
	struct mkv_buf old = *lower;
	*lower = grown;
	grown = old;
	return 0;
}

static int put_layers(struct mkv_tree *root, const struct mkv_oci_built *image,
		      struct mkv_error *err)
{
	auto_buf struct mkv_buf lower = {0};
	struct names names[2];
	for (size_t i = 0; i < image->n_layers; i++) {
		struct mkv_sha256 chain;
		struct names *own = &names[i % 2];
		int rc = mkv_oci_chain_id(image->layers, i + 1, &chain, err);
		if (rc == 0)
			rc = derive_names(&chain, own, err);
		if (rc < 0)
			return rc;
		char path[256];
		snprintf(path, sizeof(path), LAYERDB "%s", own->chain);
		if (!mkv_tree_lookup(root, path)) {
			rc = put_layerdb(root, own,
					 i ? &names[1 - i % 2] : NULL,
					 image->layers[i], err);
			if (rc == 0)
				rc = put_overlay(root, own, image->layers[i],
						 &lower, err);
		}
		if (rc == 0)
			rc = grow_lower(&lower, own->link, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int put_config(struct mkv_tree *root, const struct mkv_oci_built *image,
		      struct mkv_error *err)
{
	char path[256], hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&image->config_digest, hex);
	snprintf(path, sizeof(path), IMAGEDB "%s", hex);
	return mkv_tree_put_file(root, path, 0600, image->config,
				 image->config_size, err);
}

/* {"Repositories":{NAME:{"NAME:TAG":ID,"NAME@MANIFEST":ID}}} */
static int put_repositories(struct mkv_tree *root,
			    const struct mkv_oci_built *const *images,
			    size_t n_images, struct mkv_error *err)
{
	auto_json json_t *top = json_pack("{s{}}", "Repositories");
	auto_buf struct mkv_buf text = {0};
	if (!top)
		return mkv_oom(err);
	json_t *repositories = json_object_get(top, "Repositories");
	for (size_t i = 0; i < n_images; i++) {
		const struct mkv_oci_built *image = images[i];
		char config[MKV_SHA256_HEX_SIZE], manifest[MKV_SHA256_HEX_SIZE];
		mkv_sha256_hex(&image->config_digest, config);
		mkv_sha256_hex(&image->manifest_digest, manifest);
		json_t *of = json_object_get(repositories, image->name);
		if (!of) {
			of = json_object();
			json_object_set_new(repositories, image->name, of);
		}
		auto_buf struct mkv_buf key = {0};
		mkv_buf_printf(&key, "%s:%s", image->name, image->tag);
		mkv_buf_char(&key, '\0');
		size_t second = key.size;
		mkv_buf_printf(&key, "%s@sha256:%s", image->name, manifest);
		int rc = mkv_buf_check(&key, err);
		if (rc < 0)
			return rc;
		json_object_set_new(of, key.data,
				    json_sprintf("sha256:%s", config));
		json_object_set_new(of, key.data + second,
				    json_sprintf("sha256:%s", config));
	}
	int rc = mkv_json_dump_compact(top, &text, err);
	if (rc == 0)
		rc = mkv_tree_put_file(
			root, DOCKER "/image/overlay2/repositories.json", 0600,
			text.data, text.size, err);
	return rc;
}

int mkv_docker_root_put(struct mkv_tree *root,
			const struct mkv_oci_built *const *images,
			size_t n_images, struct mkv_error *err)
{
	int rc = make_folders(root, err);
	for (size_t i = 0; rc == 0 && i < n_images; i++) {
		rc = put_layers(root, images[i], err);
		if (rc == 0)
			rc = put_config(root, images[i], err);
		if (rc < 0)
			mkv_wrap(err, rc, "image '%s'", images[i]->name);
	}
	if (rc == 0)
		rc = put_repositories(root, images, n_images, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "Docker's data root");
	return 0;
}

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
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"an OCI image has no layers");
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

static int make_directory(struct mkv_tree *root, const char *path, mode_t mode,
			  struct mkv_error *err)
{
	int rc = mkv_tree_make_dirs(root, path, err);
	if (rc < 0)
		return rc;
	mkv_tree_lookup(root, path)->mode = S_IFDIR | mode;
	return 0;
}

/* The permissions are those that dockerd sets. */
static int make_directories(struct mkv_tree *root, struct mkv_error *err)
{
	static const struct {
		const char *path;
		mode_t mode;
	} directories[] = {
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
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories);
	     i++) {
		int rc = make_directory(root, directories[i].path,
					directories[i].mode, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A chain's directory in the layer store, its directory in overlay2, and the
 * name of its link. */
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

/* `parent`: the chain below, NULL for the lowest layer. */
static int put_layerdb(struct mkv_tree *root, const struct names *names,
		       const struct names *parent,
		       const struct mkv_oci_layer *layer, struct mkv_error *err)
{
	char text[128], hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&layer->diff_id, hex);
	snprintf(text, sizeof(text), "sha256:%s", hex);
	int rc = put_text(root, 0644, text, err, LAYERDB "%s/diff",
			  names->chain);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof(text), "%" PRIu64, layer->files_size_bytes);
	rc = put_text(root, 0644, text, err, LAYERDB "%s/size", names->chain);
	if (rc < 0)
		return rc;
	rc = put_text(root, 0644, names->cache, err, LAYERDB "%s/cache-id",
		      names->chain);
	if (rc < 0)
		return rc;
	if (parent) {
		snprintf(text, sizeof(text), "sha256:%s", parent->chain);
		rc = put_text(root, 0644, text, err, LAYERDB "%s/parent",
			      names->chain);
		if (rc < 0)
			return rc;
	}
	return put_tar_split(root, names, layer, err);
}

/* A layer with layers below: overlayfs needs their list and a work directory.
 */
static int put_lower(struct mkv_tree *root, const char *cache,
		     const char *lower, struct mkv_error *err)
{
	char path[256];
	int rc = put_text(root, 0644, lower, err, DOCKER "/overlay2/%s/lower",
			  cache);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), DOCKER "/overlay2/%s/work", cache);
	return make_directory(root, path, 0700, err);
}

static int put_link(struct mkv_tree *root, const struct names *names,
		    struct mkv_error *err)
{
	char path[256], target[160];
	int rc = put_text(root, 0644, names->link, err,
			  DOCKER "/overlay2/%s/link", names->cache);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), DOCKER "/overlay2/l/%s", names->link);
	snprintf(target, sizeof(target), "../%s/diff", names->cache);
	return mkv_tree_put_symlink(root, path, target, err);
}

/* `lower`: the links of the layers below, the nearest first, "l/A:l/B". */
static int put_overlay(struct mkv_tree *root, const struct names *names,
		       const struct mkv_oci_layer *layer,
		       const struct mkv_buf *lower, struct mkv_error *err)
{
	char path[256];
	const char *cache = names->cache;
	snprintf(path, sizeof(path), DOCKER "/overlay2/%s", cache);
	int rc = make_directory(root, path, 0710, err);
	if (rc < 0)
		return rc;
	rc = put_link(root, names, err);
	if (rc < 0)
		return rc;
	rc = put_text(root, 0600, "", err, DOCKER "/overlay2/%s/committed",
		      cache);
	if (rc < 0)
		return rc;
	rc = lower->size ? put_lower(root, cache, lower->data, err) : 0;
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), DOCKER "/overlay2/%s/diff", cache);
	return mkv_docker_layer_put(root, path, layer->tree, err);
}

/* Inserts a layer's link at the front. */
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

/* A chain that images share is written once. */
static int put_layer(struct mkv_tree *root, const struct names *names,
		     const struct names *parent,
		     const struct mkv_oci_layer *layer,
		     const struct mkv_buf *lower, struct mkv_error *err)
{
	char path[256];
	snprintf(path, sizeof(path), LAYERDB "%s", names->chain);
	if (mkv_tree_lookup(root, path))
		return 0;
	int rc = put_layerdb(root, names, parent, layer, err);
	return rc < 0 ? rc : put_overlay(root, names, layer, lower, err);
}

static int put_layers(struct mkv_tree *root, const struct mkv_oci_built *image,
		      struct mkv_error *err)
{
	auto_buf struct mkv_buf lower = {0};
	struct names names[2];
	for (size_t i = 0; i < image->n_layers; i++) {
		struct mkv_sha256 chain;
		struct names *own = &names[i % 2];
		const struct names *parent = i ? &names[1 - i % 2] : NULL;
		int rc = mkv_oci_chain_id(image->layers, i + 1, &chain, err);
		if (rc < 0)
			return rc;
		rc = derive_names(&chain, own, err);
		if (rc < 0)
			return rc;
		rc = put_layer(root, own, parent, image->layers[i], &lower,
			       err);
		if (rc < 0)
			return rc;
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

static int add_to_repositories(json_t *repositories,
			       const struct mkv_oci_built *image,
			       struct mkv_error *err)
{
	char config[MKV_SHA256_HEX_SIZE], manifest[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&image->config_digest, config);
	mkv_sha256_hex(&image->manifest_digest, manifest);
	json_t *references = json_object_get(repositories, image->name);
	if (!references) {
		references = json_object();
		json_object_set_new(repositories, image->name, references);
	}
	auto_buf struct mkv_buf tagged = {0}, pinned = {0};
	mkv_buf_printf(&tagged, "%s:%s", image->name, image->tag);
	mkv_buf_printf(&pinned, "%s@sha256:%s", image->name, manifest);
	if (tagged.failed || pinned.failed)
		return mkv_oom(err);
	json_object_set_new(references, tagged.data,
			    json_sprintf("sha256:%s", config));
	json_object_set_new(references, pinned.data,
			    json_sprintf("sha256:%s", config));
	return 0;
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
		int rc = add_to_repositories(repositories, images[i], err);
		if (rc < 0)
			return rc;
	}
	int rc = mkv_json_dump_compact(top, &text, err);
	return rc < 0 ? rc
		      : mkv_tree_put_file(root,
					  DOCKER
					  "/image/overlay2/repositories.json",
					  0600, text.data, text.size, err);
}

static int put_images(struct mkv_tree *root,
		      const struct mkv_oci_built *const *images,
		      size_t n_images, struct mkv_error *err)
{
	int rc = make_directories(root, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n_images; i++) {
		rc = put_layers(root, images[i], err);
		if (rc < 0)
			return mkv_wrap(err, rc, "image '%s'", images[i]->name);
		rc = put_config(root, images[i], err);
		if (rc < 0)
			return mkv_wrap(err, rc, "image '%s'", images[i]->name);
	}
	return put_repositories(root, images, n_images, err);
}

int mkv_docker_root_put(struct mkv_tree *root,
			const struct mkv_oci_built *const *images,
			size_t n_images, struct mkv_error *err)
{
	int rc = put_images(root, images, n_images, err);
	return rc < 0 ? mkv_wrap(err, rc, "Docker's data root") : 0;
}

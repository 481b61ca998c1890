/* SPDX-License-Identifier: MIT */
/* The OCI image layout (image-spec 1.1: image-layout.md, manifest.md,
 * config.md) against the contract. */
#include <string.h>

#include "builder/evidence/audit/audit_internal.h"
#include "builder/format/oci/layer_unpack.h"

enum { DOCUMENT_MAX = 4 * 1024 * 1024 };

/* The path of a blob; NULL for a digest other than SHA-256. */
static const char *blob_path(const char *digest, char path[static 96])
{
	struct mkv_sha256 sha256;
	if (!digest || strncmp(digest, "sha256:", 7) != 0 ||
	    mkv_sha256_parse(digest + 7, &sha256) < 0)
		return NULL;
	(void)snprintf(path, 96, "oci/blobs/sha256/%s", digest + 7);
	return path;
}

/* Reads a JSON blob and checks that its digest is its name. Positive when a
 * finding was added instead. */
static int read_blob(struct mkv_audit *audit, const char *where,
		     const char *digest, json_t **ret, struct mkv_error *err)
{
	char path[96], hex[MKV_SHA256_HEX_SIZE];
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 sha256;
	if (!blob_path(digest, path)) {
		mkv_audit_add(
			audit->report, where,
			"the contract or manifest names no sha256 digest");
		return 1;
	}
	int rc = mkv_audit_read(audit, path, DOCUMENT_MAX, &text, err);
	if (rc != 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	if (strcmp(hex, digest + 7) != 0) {
		mkv_audit_add(audit->report, path,
			      "content differs from its name: got sha256 %s",
			      hex);
		return 1;
	}
	rc = mkv_json_load(text.data ? text.data : "", text.size, ret, err);
	if (rc < 0 && rc != -ENOMEM) {
		mkv_audit_add(audit->report, path, "%s", err->message);
		return 1;
	}
	return rc;
}

static void compare_text(struct mkv_audit *audit, const char *where,
			 const char *what, const char *want, const char *got)
{
	if (!want)
		return;
	if (!got || strcmp(want, got) != 0)
		mkv_audit_add(audit->report, where,
			      "%s differs: expected %s got %s", what, want,
			      got ? got : "none");
}

/* `list` holds strings, or objects with a digest. */
static void compare_layers(struct mkv_audit *audit, const char *where,
			   const struct mkv_contract_oci *oci,
			   const json_t *list, bool diff_ids)
{
	size_t count = json_array_size(list);
	if (count != oci->n_layers)
		mkv_audit_add(audit->report, where,
			      "number of %s differs: expected %zu got %zu",
			      diff_ids ? "diff_ids" : "layers", oci->n_layers,
			      count);
	for (size_t i = 0; i < count && i < oci->n_layers; i++) {
		char what[64];
		const json_t *one = json_array_get(list, i);
		(void)snprintf(what, sizeof(what), "%s %zu",
			       diff_ids ? "diff_id" : "layer", i + 1);
		compare_text(audit, where, what,
			     diff_ids ? oci->layers[i].diff_id
				      : oci->layers[i].digest,
			     json_string_value(
				     diff_ids
					     ? one
					     : json_object_get(one, "digest")));
	}
}

static int check_diff_id(struct mkv_audit *audit,
			 const struct mkv_contract_layer *layer,
			 const char *media_type, struct mkv_error *err)
{
	char path[96], hex[MKV_SHA256_HEX_SIZE];
	auto_fd int fd = -1;
	struct mkv_sha256 sha256;
	uint64_t size;
	if (!blob_path(layer->digest, path) || !layer->diff_id ||
	    mkv_audit_open(audit, path, &fd) < 0)
		return 0;
	int rc = mkv_oci_layer_unpack(fd, media_type, -1, &sha256, &size, err);
	if (rc < 0 && err->kind != MKV_UNVERIFIED)
		return rc;
	if (rc < 0) {
		mkv_audit_add(audit->report, path, "can't be unpacked: %s",
			      err->message);
		return 0;
	}
	mkv_sha256_hex(&sha256, hex);
	if (strcmp(hex, layer->diff_id + 7) != 0)
		mkv_audit_add(audit->report, path,
			      "diff_id differs: expected %s got sha256:%s",
			      layer->diff_id, hex);
	return 0;
}

/* Each layer, unpacked according to its media type in the manifest. */
static int check_diff_ids(struct mkv_audit *audit,
			  const struct mkv_contract_oci *oci,
			  const json_t *manifest, struct mkv_error *err)
{
	const json_t *layers = json_object_get(manifest, "layers");
	for (size_t i = 0; i < oci->n_layers; i++) {
		const char *type = json_string_value(json_object_get(
			json_array_get(layers, i), "mediaType"));
		int rc = check_diff_id(audit, &oci->layers[i], type ? type : "",
				       err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static const char *read_digest(const json_t *descriptor)
{
	return json_string_value(json_object_get(descriptor, "digest"));
}

static bool is_indexed(const json_t *index, const char *digest)
{
	const json_t *list = json_object_get(index, "manifests"), *one;
	size_t i;
	json_array_foreach(list, i, one)
	{
		const char *name = read_digest(one);
		if (name && strcmp(name, digest) == 0)
			return true;
	}
	return false;
}

static int check_image(struct mkv_audit *audit, const json_t *index,
		       const struct mkv_contract_oci *oci,
		       struct mkv_error *err)
{
	auto_json json_t *manifest = NULL, *config = NULL;
	char where[256];
	(void)snprintf(where, sizeof(where), "oci/%s", oci->name);
	if (!oci->manifest)
		return 0;
	if (!is_indexed(index, oci->manifest))
		mkv_audit_add(audit->report, where,
			      "oci/index.json doesn't name its manifest %s",
			      oci->manifest);
	int rc = read_blob(audit, where, oci->manifest, &manifest, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	const char *config_digest =
		read_digest(json_object_get(manifest, "config"));
	compare_text(audit, where, "config", oci->config, config_digest);
	compare_layers(audit, where, oci, json_object_get(manifest, "layers"),
		       false);
	rc = read_blob(audit, where, config_digest, &config, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	compare_layers(
		audit, where, oci,
		json_object_get(json_object_get(config, "rootfs"), "diff_ids"),
		true);
	return audit->options->deep ? check_diff_ids(audit, oci, manifest, err)
				    : 0;
}

/* A blob's name must be its digest in SHA256SUMS. */
static void check_names(struct mkv_audit *audit)
{
	static const char directory[] = "oci/blobs/sha256/";
	for (size_t i = 0; audit->sums && i < audit->sums->count; i++) {
		const struct mkv_sum *sum = &audit->sums->items[i];
		char hex[MKV_SHA256_HEX_SIZE];
		if (strncmp(sum->path, directory, strlen(directory)) != 0)
			continue;
		mkv_sha256_hex(&sum->sha256, hex);
		if (strcmp(sum->path + strlen(directory), hex) != 0)
			mkv_audit_add(
				audit->report, sum->path,
				"the blob's name differs from its digest");
	}
}

int mkv_audit_oci(struct mkv_audit *audit, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	auto_json json_t *index = NULL;
	if (!audit->manifest || audit->manifest->contract->n_oci == 0)
		return 0;
	check_names(audit);
	int rc = mkv_audit_read(audit, "oci/index.json", DOCUMENT_MAX, &text,
				err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_json_load(text.data ? text.data : "", text.size, &index, err);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0)
		mkv_audit_add(audit->report, "oci/index.json", "%s",
			      err->message);
	const struct mkv_contract *contract = audit->manifest->contract;
	for (size_t i = 0; i < contract->n_oci; i++) {
		rc = check_image(audit, index, &contract->oci[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/image.h"

#include <string.h>
#include <time.h>

#include "lib/json.h"

#define GZIP_LAYER "application/vnd.oci.image.layer.v1.tar+gzip"
#define DEFAULT_PATH                                                           \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void mkv_oci_built_free(struct mkv_oci_built *image)
{
	if (!image)
		return;
	free(image->name);
	free(image->tag);
	free(image->config);
	free(image->manifest);
	free(image->layers);
	free(image);
}

static json_t *list_of(const struct mkv_strings *strings)
{
	json_t *list = json_array();
	for (size_t i = 0; i < strings->count; i++)
		json_array_append_new(list, json_string(strings->items[i]));
	return list;
}

/* A set, in the JSON form of Go's map[string]struct{}. */
static json_t *set_of(const struct mkv_strings *strings, const char *suffix)
{
	json_t *set = json_object();
	for (size_t i = 0; i < strings->count; i++) {
		const char *item = strings->items[i];
		auto_buf struct mkv_buf key = {0};
		mkv_buf_str(&key, item);
		if (suffix && !strchr(item, '/'))
			mkv_buf_str(&key, suffix);
		if (key.data)
			json_object_set_new(set, key.data, json_object());
	}
	return set;
}

static json_t *environment_of(const struct mkv_settings *settings)
{
	json_t *list = json_array();
	bool has_path = false;
	for (size_t i = 0; i < settings->count; i++)
		has_path |= strcmp(settings->items[i].key, "PATH") == 0;
	if (!has_path)
		json_array_append_new(list, json_string("PATH=" DEFAULT_PATH));
	for (size_t i = 0; i < settings->count; i++)
		json_array_append_new(
			list, json_sprintf("%s=%s", settings->items[i].key,
					   settings->items[i].value));
	return list;
}

static void set_string(json_t *object, const char *key, const char *value)
{
	if (value)
		json_object_set_new(object, key, json_string(value));
}

static json_t *config_member(const struct mkv_oci_config *config)
{
	json_t *object = json_object();
	set_string(object, "User", config->user);
	set_string(object, "WorkingDir", config->working_dir);
	set_string(object, "StopSignal", config->stop_signal);
	json_object_set_new(object, "Env",
			    environment_of(&config->environment));
	if (config->entrypoint.count)
		json_object_set_new(object, "Entrypoint",
				    list_of(&config->entrypoint));
	if (config->command.count)
		json_object_set_new(object, "Cmd", list_of(&config->command));
	if (config->volumes.count)
		json_object_set_new(object, "Volumes",
				    set_of(&config->volumes, NULL));
	if (config->ports.count)
		json_object_set_new(object, "ExposedPorts",
				    set_of(&config->ports, "/tcp"));
	if (config->labels.count) {
		json_t *labels = json_object();
		for (size_t i = 0; i < config->labels.count; i++)
			set_string(labels, config->labels.items[i].key,
				   config->labels.items[i].value);
		json_object_set_new(object, "Labels", labels);
	}
	return object;
}

static json_t *digest_text(const struct mkv_sha256 *sha256)
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(sha256, hex);
	return json_sprintf("sha256:%s", hex);
}

static int time_text(int64_t time_s, char ret[static 32], struct mkv_error *err)
{
	time_t time = (time_t)time_s;
	struct tm tm;
	if (!gmtime_r(&time, &tm) || tm.tm_year < 0 || tm.tm_year > 8099)
		return mkv_fail(err, MKV_FAILED, ERANGE,
				"time %lld is out of range", (long long)time_s);
	strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return 0;
}

static int dump_and_hash(const json_t *json, char **ret, size_t *ret_size,
			 struct mkv_sha256 *ret_digest, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	if (!json)
		return mkv_oom(err);
	int rc = mkv_json_dump_compact(json, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, ret_digest, err);
	if (rc < 0)
		return rc;
	*ret_size = text.size;
	*ret = mkv_buf_take(&text);
	return *ret ? 0 : mkv_oom(err);
}

static int make_config(struct mkv_oci_built *image,
		       const struct mkv_oci_config *config,
		       struct mkv_error *err)
{
	char created[32];
	int rc = time_text(config->epoch_s, created, err);
	if (rc < 0)
		return rc;
	auto_json json_t *object = json_object();
	json_t *diff_ids = json_array(), *history = json_array();
	for (size_t i = 0; i < image->n_layers; i++) {
		json_array_append_new(diff_ids,
				      digest_text(&image->layers[i]->diff_id));
		json_array_append_new(
			history, json_pack("{ss}", "created_by", "mkvbench"));
	}
	set_string(object, "architecture", "amd64");
	set_string(object, "os", "linux");
	set_string(object, "created", created);
	json_object_set_new(object, "config", config_member(config));
	json_object_set_new(object, "history", history);
	json_object_set_new(
		object, "rootfs",
		json_pack("{ssso}", "type", "layers", "diff_ids", diff_ids));
	return dump_and_hash(object, &image->config, &image->config_size,
			     &image->config_digest, err);
}

static json_t *descriptor(const char *type, const struct mkv_sha256 *digest,
			  uint64_t size)
{
	return json_pack("{sssosI}", "mediaType", type, "digest",
			 digest_text(digest), "size", (json_int_t)size);
}

static int make_manifest(struct mkv_oci_built *image, struct mkv_error *err)
{
	json_t *layers = json_array();
	for (size_t i = 0; i < image->n_layers; i++) {
		const struct mkv_oci_layer *layer = image->layers[i];
		json_array_append_new(
			layers, descriptor(layer->media_type ? layer->media_type
							     : GZIP_LAYER,
					   &layer->digest,
					   mkv_content_size(layer->blob)));
	}
	auto_json json_t *object = json_pack(
		"{sisssoso}", "schemaVersion", 2, "mediaType",
		"application/vnd.oci.image.manifest.v1+json", "config",
		descriptor("application/vnd.oci.image.config.v1+json",
			   &image->config_digest, image->config_size),
		"layers", layers);
	return dump_and_hash(object, &image->manifest, &image->manifest_size,
			     &image->manifest_digest, err);
}

/* A subset of the names without a registry, and of the tags, that Docker
 * accepts (github.com/distribution/reference, reference.go, "Grammar"). */
static bool is_reference_part(const char *text, bool is_name)
{
	size_t length = strlen(text);
	if (length == 0 || length > 128)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			     (!is_name && c >= 'A' && c <= 'Z');
		bool inner = strchr(is_name ? "-_./" : "-_.", c) && i > 0 &&
			     (!is_name || i + 1 < length);
		if (!plain && !inner)
			return false;
	}
	return true;
}

static int new_image(const char *name, const char *tag,
		     const struct mkv_oci_layer *const *layers, size_t n_layers,
		     struct mkv_oci_built **ret, struct mkv_error *err)
{
	if (!is_reference_part(name, true) || !is_reference_part(tag, false))
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"'%s:%s' is not a valid name of an OCI image",
				name, tag);
	if (n_layers == 0 || n_layers > 120)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"OCI image '%s' has %zu layers: expected 1 to "
				"120",
				name, n_layers);
	auto_oci_built struct mkv_oci_built *image = calloc(1, sizeof(*image));
	if (!image)
		return mkv_oom(err);
	image->name = strdup(name);
	image->tag = strdup(tag);
	image->layers = calloc(n_layers, sizeof(*image->layers));
	if (!image->name || !image->tag || !image->layers)
		return mkv_oom(err);
	memcpy(image->layers, layers, n_layers * sizeof(*layers));
	image->n_layers = n_layers;
	*ret = mkv_take(image);
	return 0;
}

int mkv_oci_image_new(const char *name, const char *tag,
		      const struct mkv_oci_config *config,
		      const struct mkv_oci_layer *const *layers,
		      size_t n_layers, struct mkv_oci_built **ret,
		      struct mkv_error *err)
{
	auto_oci_built struct mkv_oci_built *image = NULL;
	int rc = new_image(name, tag, layers, n_layers, &image, err);
	if (rc < 0)
		return rc;
	rc = make_config(image, config, err);
	rc = rc < 0 ? rc : make_manifest(image, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "OCI image '%s'", name);
	*ret = mkv_take(image);
	return 0;
}

static int copy_and_hash(const struct mkv_buf *text, char **ret,
			 size_t *ret_size, struct mkv_sha256 *ret_digest,
			 struct mkv_error *err)
{
	*ret = malloc(text->size + 1);
	if (!*ret)
		return mkv_oom(err);
	memcpy(*ret, text->data ? text->data : "", text->size);
	(*ret)[text->size] = '\0';
	*ret_size = text->size;
	return mkv_sha256_bytes(*ret, text->size, ret_digest, err);
}

int mkv_oci_image_adopt(const char *name, const char *tag,
			const struct mkv_buf *config,
			const struct mkv_buf *manifest,
			const struct mkv_oci_layer *const *layers,
			size_t n_layers, struct mkv_oci_built **ret,
			struct mkv_error *err)
{
	auto_oci_built struct mkv_oci_built *image = NULL;
	int rc = new_image(name, tag, layers, n_layers, &image, err);
	if (rc < 0)
		return rc;
	rc = copy_and_hash(config, &image->config, &image->config_size,
			   &image->config_digest, err);
	if (rc < 0)
		return rc;
	rc = manifest ? copy_and_hash(manifest, &image->manifest,
				      &image->manifest_size,
				      &image->manifest_digest, err)
		      : make_manifest(image, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(image);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Writes an appliance into a staging directory and renames that to its place.
 */
#include <string.h>

#include "builder/build/artifacts.h"
#include "builder/build/build.h"
#include "builder/build/staging.h"
#include "builder/evidence/attest/attest.h"
#include "builder/evidence/contract/contract.h"
#include "builder/format/libvirt/xml.h"
#include "builder/format/oci/layout.h"
#include "lib/io.h"
#include "lib/json.h"

/* All images of one build. */
struct images {
	struct mkv_build_image *items;
	size_t count;
};

static void images_done(struct images *images)
{
	for (size_t i = 0; i < images->count; i++)
		mkv_build_image_done(&images->items[i]);
	free(images->items);
}

static int prepare_images(const struct mkv_build *build,
			  const struct mkv_build_oci *oci,
			  struct images *images, struct mkv_error *err)
{
	size_t count = build->recipe->n_images;
	images->items = calloc(count ? count : 1, sizeof(*images->items));
	if (!images->items)
		return mkv_oom(err);
	for (size_t i = 0; i < count; i++) {
		int rc = mkv_build_image_prepare(build, i, oci,
						 &images->items[i], err);
		if (rc < 0)
			return rc;
		images->count++;
	}
	return 0;
}

static void
describe_oci(const struct mkv_build_oci *oci, struct mkv_built_oci *ret,
	     struct mkv_built_layer (*layers)[MKV_BUILD_OCI_LAYERS_MAX])
{
	for (size_t i = 0; i < oci->count; i++) {
		const struct mkv_oci_built *built = oci->images[i].image;
		for (size_t j = 0; j < built->n_layers; j++)
			layers[i][j] = (struct mkv_built_layer){
				built->layers[j]->digest,
				built->layers[j]->diff_id};
		ret[i] = (struct mkv_built_oci){
			.name = built->name,
			.manifest = built->manifest_digest,
			.config = built->config_digest,
			.layers = layers[i],
			.n_layers = built->n_layers,
		};
	}
}

/* A UUID for each host's libvirt domain. */
static int make_domain_ids(const struct mkv_build *build, uint8_t (*ids)[16],
			   struct mkv_error *err)
{
	for (size_t i = 0; i < build->recipe->n_hosts; i++) {
		int rc = mkv_build_uuid(build, build->recipe->hosts[i].name,
					"domain", ids[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The facts of each image; *ret borrows from `images` and `initramfs`. */
static int describe_images(const struct images *images,
			   struct mkv_built_image *ret,
			   struct mkv_sha256 *initramfs, struct mkv_error *err)
{
	for (size_t i = 0; i < images->count; i++) {
		const struct mkv_build_image *image = &images->items[i];
		int rc = mkv_content_sha256(image->initramfs, &initramfs[i],
					    err);
		if (rc < 0)
			return rc;
		ret[i] = (struct mkv_built_image){
			.kernel_package = image->kernel_package,
			.kernel_version = image->kernel_version,
			.kernel_release = image->kernel_release,
			.initramfs_sha256 = &initramfs[i],
			.command_line = image->command_line,
			.enabled = image->enabled,
			.masked = image->masked,
			.files_sha256 = image->files_sha256,
			.files_count = image->files_count,
		};
	}
	return 0;
}

static int write_contract(const struct mkv_build *build,
			  const struct images *images,
			  const struct mkv_build_oci *oci, struct mkv_buf *ret,
			  struct mkv_error *err)
{
	size_t n_oci = oci->count ? oci->count : 1;
	auto_free struct mkv_built_image *built =
		calloc(images->count ? images->count : 1, sizeof(*built));
	auto_free struct mkv_sha256 *initramfs =
		calloc(images->count ? images->count : 1, sizeof(*initramfs));
	auto_free struct mkv_built_oci *built_oci =
		calloc(n_oci, sizeof(*built_oci));
	auto_free struct mkv_built_layer(*layers)[MKV_BUILD_OCI_LAYERS_MAX] =
		calloc(n_oci, sizeof(*layers));
	auto_free uint8_t(*ids)[16] =
		calloc(build->recipe->n_hosts, sizeof(*ids));
	if (!built || !initramfs || !built_oci || !layers || !ids)
		return mkv_oom(err);
	int rc = make_domain_ids(build, ids, err);
	if (rc < 0)
		return rc;
	rc = describe_images(images, built, initramfs, err);
	if (rc < 0)
		return rc;
	describe_oci(oci, built_oci, layers);
	char key_id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&mkv_private_key_public(build->key)->id, key_id);
	struct mkv_contract_inputs inputs = {
		.recipe = build->recipe,
		.lock = build->lock,
		.lock_sha256 = &build->lock_sha256,
		.key_id = key_id,
		.domain_ids = ids,
		.images = built,
		.oci = built_oci,
		.n_oci = oci->count,
	};
	return mkv_contract_write(&inputs, ret, err);
}

static int write_image(const struct mkv_build *build,
		       struct mkv_build_image *image,
		       const struct mkv_buf *contract,
		       const struct mkv_buf *bundle,
		       struct mkv_staging *staging, struct mkv_error *err)
{
	auto_free char *place = NULL;
	if (asprintf(&place, "%s/%s", staging->path, image->recipe->name) < 0)
		return mkv_oom(err);
	int rc = mkv_build_image_seal(image, contract, bundle, err);
	if (rc < 0)
		return rc;
	rc = mkv_build_image_write(build, image, place, err);
	if (rc < 0)
		return rc;
	return mkv_staging_finish_part(staging, image->recipe->name, err);
}

static int compare_sizes_descending(const void *a, const void *b)
{
	const struct mkv_build_image *const *left = a, *const *right = b;
	uint64_t left_bytes = (*left)->recipe->size_bytes,
		 right_bytes = (*right)->recipe->size_bytes;
	return (left_bytes < right_bytes) - (left_bytes > right_bytes);
}

/* The largest disk first: hashing it takes longest and runs while the others
 * are written. */
static int write_images(const struct mkv_build *build, struct images *images,
			const struct mkv_buf *contract,
			struct mkv_staging *staging, struct mkv_error *err)
{
	auto_buf struct mkv_buf bundle = {0};
	auto_free struct mkv_build_image **order =
		calloc(images->count ? images->count : 1,
		       sizeof(struct mkv_build_image *));
	if (!order)
		return mkv_oom(err);
	for (size_t i = 0; i < images->count; i++)
		order[i] = &images->items[i];
	qsort(order, images->count, sizeof(struct mkv_build_image *),
	      compare_sizes_descending);
	int rc = mkv_contract_bundle(build->key, contract->data, contract->size,
				     &bundle, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < images->count; i++) {
		rc = write_image(build, order[i], contract, &bundle, staging,
				 err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int write_oci(const struct mkv_build_oci *oci,
		     struct mkv_staging *staging, struct mkv_error *err)
{
	if (!oci->count)
		return 0;
	auto_free char *place = NULL;
	if (asprintf(&place, "%s/oci", staging->path) < 0)
		return mkv_oom(err);
	auto_oci_layout struct mkv_oci_layout *layout = NULL;
	int rc = mkv_oci_layout_new(place, &layout, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < oci->count; i++) {
		rc = mkv_oci_layout_add(layout, oci->images[i].image, err);
		if (rc < 0)
			return rc;
	}
	rc = mkv_oci_layout_finish(layout, err);
	return rc < 0 ? rc : mkv_staging_finish_part(staging, "oci", err);
}

static int write_libvirt_file(const char *dir, const char *kind,
			      const char *name, const struct mkv_buf *xml,
			      struct mkv_error *err)
{
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/%s-%s.xml", dir, kind, name) < 0)
		return mkv_oom(err);
	return mkv_place_file(path, 0644, xml->data, xml->size, err);
}

static int write_network(const struct mkv_contract *contract, const char *dir,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf network = {0};
	int rc = mkv_libvirt_network_xml(contract, &network, err);
	if (rc < 0)
		return rc;
	return write_libvirt_file(dir, "network", "vlan", &network, err);
}

static int write_domain(const struct mkv_contract *contract,
			const struct mkv_contract_host *host, const char *dir,
			struct mkv_error *err)
{
	auto_buf struct mkv_buf domain = {0};
	int rc = mkv_libvirt_domain_xml(contract, host, &domain, err);
	if (rc < 0)
		return rc;
	return write_libvirt_file(dir, "domain", host->name, &domain, err);
}

static int write_libvirt(const struct mkv_contract *contract, const char *dir,
			 struct mkv_error *err)
{
	int rc = mkv_make_dirs(dir, err);
	if (rc < 0)
		return rc;
	rc = write_network(contract, dir, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < contract->n_hosts; i++) {
		if (!contract->hosts[i].hypervisor.promised)
			continue;
		rc = write_domain(contract, &contract->hosts[i], dir, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int write_hypervisor(const struct mkv_build *build,
			    const struct mkv_buf *text, const char *dir,
			    struct mkv_error *err)
{
	auto_contract struct mkv_contract *contract = NULL;
	auto_free char *place = NULL;
	if (!build->recipe->has_hypervisor)
		return 0;
	if (asprintf(&place, "%s/libvirt", dir) < 0)
		return mkv_oom(err);
	int rc = mkv_contract_parse(text->data, text->size, &contract, err);
	return rc < 0 ? rc : write_libvirt(contract, place, err);
}

static int write_manifest(const struct mkv_buf *contract,
			  const struct mkv_artifacts *artifacts,
			  struct mkv_buf *ret, struct mkv_error *err)
{
	auto_json json_t *root = json_object();
	json_t *promised = NULL;
	int rc = mkv_json_load(contract->data, contract->size, &promised, err);
	if (rc < 0)
		return rc;
	json_t *files = json_object();
	for (size_t i = 0; i < artifacts->count; i++) {
		char hex[MKV_SHA256_HEX_SIZE];
		mkv_sha256_hex(&artifacts->items[i].sha256, hex);
		(void)json_object_set_new(
			files, artifacts->items[i].path,
			json_pack("{s:s, s:I}", "sha256", hex, "size",
				  (json_int_t)artifacts->items[i].size_bytes));
	}
	if (json_object_set_new(root, "contract", promised) < 0 ||
	    json_object_set_new(root, "artifacts", files) < 0 ||
	    json_object_set_new(root, "mkvbench_manifest", json_integer(1)) <
		    0 ||
	    json_object_set_new(root, "tool",
				json_pack("{s:s, s:s}", "name", "mkvbench",
					  "version", MKV_VERSION)) < 0)
		return mkv_oom(err);
	return mkv_json_dump(root, ret, err);
}

static int write_attestations(const struct mkv_build *build,
			      const struct mkv_buf *contract,
			      struct mkv_staging *staging,
			      struct mkv_error *err)
{
	auto_artifacts struct mkv_artifacts artifacts = {0};
	auto_buf struct mkv_buf manifest = {0};
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/manifest.json", staging->path) < 0)
		return mkv_oom(err);
	int rc = mkv_staging_artifacts(staging, &artifacts, err);
	if (rc < 0)
		return rc;
	rc = write_manifest(contract, &artifacts, &manifest, err);
	if (rc < 0)
		return rc;
	rc = mkv_place_file(path, 0644, manifest.data, manifest.size, err);
	if (rc < 0)
		return rc;
	struct mkv_attest_inputs inputs = {
		.recipe = build->recipe,
		.lock = build->lock,
		.manifest = manifest.data,
		.manifest_size = manifest.size,
		.artifacts = artifacts.items,
		.n_artifacts = artifacts.count,
	};
	return mkv_attest_appliance(staging->path, build->key, &inputs, err);
}

static int attest(const struct mkv_build *build, const struct mkv_buf *contract,
		  struct mkv_staging *staging, struct mkv_error *err)
{
	auto_progress_step struct mkv_progress_step step = mkv_progress_begin(
		build->progress, 0, "digests and attestations");
	int rc = write_attestations(build, contract, staging, err);
	mkv_progress_end(&step, rc, NULL);
	return rc;
}

static int write_appliance(const struct mkv_build *build,
			   struct mkv_staging *staging, struct mkv_error *err)
{
	auto_build_oci struct mkv_build_oci oci = {0};
	__attribute__((cleanup(images_done))) struct images images = {0};
	auto_buf struct mkv_buf contract = {0};
	int rc = mkv_build_rootfs_all(build, err);
	if (rc < 0)
		return rc;
	rc = mkv_build_oci_images(build, &oci, err);
	if (rc < 0)
		return rc;
	rc = prepare_images(build, &oci, &images, err);
	if (rc < 0)
		return rc;
	rc = write_contract(build, &images, &oci, &contract, err);
	if (rc < 0)
		return rc;
	rc = write_oci(&oci, staging, err);
	if (rc < 0)
		return rc;
	rc = write_images(build, &images, &contract, staging, err);
	if (rc < 0)
		return rc;
	rc = write_hypervisor(build, &contract, staging->path, err);
	return rc < 0 ? rc : attest(build, &contract, staging, err);
}

static int build_at(const struct mkv_build *build, const char *output,
		    const char *place, struct mkv_buf *fingerprint,
		    struct mkv_error *err)
{
	auto_staging struct mkv_staging staging = {0};
	int rc = mkv_staging_new(output, build->recipe->name, &staging, err);
	if (rc < 0)
		return rc;
	rc = write_appliance(build, &staging, err);
	if (rc < 0)
		return rc;
	/* Before the appliance has its place: another build may replace it
	 * there at once. */
	rc = mkv_artifacts_fingerprint(staging.path, fingerprint, err);
	if (rc < 0)
		return rc;
	return mkv_staging_commit(&staging, place, err);
}

int mkv_build_appliance(const struct mkv_build *build, const char *output,
			char **ret_path, struct mkv_buf *fingerprint,
			struct mkv_error *err)
{
	auto_free char *place = NULL;
	if (asprintf(&place, "%s/%s", output, build->recipe->name) < 0)
		return mkv_oom(err);
	int rc = build_at(build, output, place, fingerprint, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", place);
	*ret_path = mkv_take(place);
	return 0;
}

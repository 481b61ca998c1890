/* SPDX-License-Identifier: MIT */
/* Builds an image's tree: installed packages, initramfs, overlays, programs,
 * generated files, and at last the contract. */
#include <string.h>

#include "builder/build/steps/steps.h"
#include "builder/config/generate/generate.h"
#include "builder/config/units/units.h"
#include "builder/core/tree/listing.h"
#include "builder/evidence/contract/contract.h"
#include "builder/format/oci/docker_root.h"
#include "lib/contract.h"

/* The list of files can't have these: the contract holds the list's digest. */
static const char *const unlisted[] = {
	MKV_CONTRACT_PATH,
	MKV_CONTRACT_BUNDLE_PATH,
	MKV_FILES_LIST_PATH,
	NULL,
};

void mkv_build_image_done(struct mkv_build_image *image)
{
	mkv_content_unref(image->kernel);
	mkv_content_unref(image->initramfs);
	mkv_tree_free(image->tree);
	free(image->kernel_release);
	free(image->kernel_package);
	free(image->kernel_version);
	free(image->data_uuids);
	mkv_strings_done(&image->command_line);
	mkv_strings_done(&image->enabled);
	mkv_strings_done(&image->masked);
	mkv_buf_done(&image->files);
	*image = (struct mkv_build_image){0};
}

static int make_data_uuids(const struct mkv_build *build,
			   struct mkv_build_image *image, struct mkv_error *err)
{
	size_t count = image->recipe->n_partitions;
	image->data_uuids = calloc(count ? count : 1, 16);
	if (!image->data_uuids)
		return mkv_oom(err);
	for (size_t i = 0; i < count; i++) {
		int rc = mkv_build_uuid(build, image->recipe->name,
					image->recipe->partitions[i].label,
					image->data_uuids[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int make_uuids(const struct mkv_build *build,
		      struct mkv_build_image *image, struct mkv_error *err)
{
	const struct {
		const char *what;
		uint8_t *into;
	} rows[] = {
		{"disk", image->disk_uuid},
		{"esp", image->esp_uuid},
		{"esp partition", image->esp_partition_uuid},
		{"root", image->root_uuid},
		{"root partition", image->root_partition_uuid},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc = mkv_build_uuid(build, image->recipe->name,
					rows[i].what, rows[i].into, err);
		if (rc < 0)
			return rc;
	}
	return make_data_uuids(build, image, err);
}

static int put_key(const struct mkv_build *build, struct mkv_tree *tree,
		   struct mkv_error *err)
{
	auto_buf struct mkv_buf pem = {0};
	mkv_public_key_pem(mkv_private_key_public(build->key), &pem);
	int rc = mkv_buf_check(&pem, err);
	if (rc < 0)
		return rc;
	return mkv_tree_put_file(tree, MKV_CONTRACT_KEY_PATH, 0644, pem.data,
				 pem.size, err);
}

/* The programs of the tool and the public key, in every image. */
static int put_tool_files(const struct mkv_build *build,
			  struct mkv_build_image *image, struct mkv_error *err)
{
	static const struct {
		const char *program, *path;
	} rows[] = {
		{"mkvbench-verify", "/usr/bin/mkvbench-verify"},
		{"programs/role", "/usr/lib/mkvbench/role"},
		{"programs/containers", "/usr/lib/mkvbench/containers"},
		{"programs/tpm-sign", "/usr/lib/mkvbench/tpm-sign"},
	};
	size_t count = sizeof(rows) / sizeof(*rows);
	/* tpm-sign needs a library that only such images have. */
	if (!build->recipe->verify_sign)
		count--;
	for (size_t i = 0; i < count; i++) {
		int rc = mkv_build_program_put(build, rows[i].program,
					       rows[i].path, image->tree, err);
		if (rc < 0)
			return rc;
	}
	return put_key(build, image->tree, err);
}

static bool runs_oci_image(const struct mkv_recipe *recipe,
			   const struct mkv_image *image, const char *oci)
{
	for (size_t i = 0; i < image->containers.count; i++)
		for (size_t j = 0; j < recipe->n_containers; j++)
			if (strcmp(recipe->containers[j].name,
				   image->containers.items[i]) == 0 &&
			    strcmp(recipe->containers[j].oci, oci) == 0)
				return true;
	return false;
}

/* Puts the OCI images that the image's containers run into Docker's data root.
 */
static int put_oci_images(const struct mkv_build *build,
			  struct mkv_build_image *image,
			  const struct mkv_build_oci *oci,
			  struct mkv_error *err)
{
	auto_free const struct mkv_oci_built **used =
		calloc(oci->count + 1, sizeof(*used));
	if (!used)
		return mkv_oom(err);
	size_t count = 0;
	for (size_t i = 0; i < oci->count; i++)
		if (runs_oci_image(build->recipe, image->recipe,
				   build->recipe->oci_images[i].name))
			used[count++] = oci->images[i].image;
	return count ? mkv_docker_root_put(image->tree, used, count, err) : 0;
}

/* The version of the kernel's package in the lock. */
static int find_kernel_version(const struct mkv_build *build,
			       struct mkv_build_image *image,
			       struct mkv_error *err)
{
	for (size_t i = 0; i < build->lock->n_packages; i++)
		if (strcmp(build->lock->packages[i].name,
			   image->kernel_package) == 0) {
			image->kernel_version =
				strdup(build->lock->packages[i].version);
			return image->kernel_version ? 0 : mkv_oom(err);
		}
	return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
			"the lock has no package '%s' for the image's kernel",
			image->kernel_package);
}

/* The only kernel of the image: /boot/vmlinuz-RELEASE of linux-image-RELEASE.
 */
static int find_kernel(const struct mkv_build *build,
		       struct mkv_build_image *image, struct mkv_error *err)
{
	static const char prefix[] = "vmlinuz-";
	const struct mkv_inode *boot = mkv_tree_lookup(image->tree, "/boot");
	size_t count = 0, found = 0;
	const struct mkv_tree_entry *entries =
		boot ? mkv_inode_children(boot, &count) : NULL;
	for (size_t i = 0; i < count; i++) {
		const char *name = entries[i].name;
		if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 ||
		    !entries[i].inode->content || found++)
			continue;
		image->kernel_release = strdup(name + sizeof(prefix) - 1);
		image->kernel = mkv_content_ref(entries[i].inode->content);
	}
	if (found != 1)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"the image has %zu kernels in /boot, expected "
				"exactly one",
				found);
	if (!image->kernel_release ||
	    asprintf(&image->kernel_package, "linux-image-%s",
		     image->kernel_release) < 0)
		return mkv_oom(err);
	return find_kernel_version(build, image, err);
}

static int list_files(struct mkv_build_image *image, struct mkv_error *err)
{
	int rc = mkv_listing_write(image->tree, unlisted, &image->files, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < image->files.size; i++)
		image->files_count += image->files.data[i] == '\n';
	return mkv_sha256_bytes(image->files.data, image->files.size,
				&image->files_sha256, err);
}

/* The installed packages and the initramfs made from them. The kernel and its
 * modules are those of the packages, so this precedes the overlays. */
static int install_packages(const struct mkv_build *build,
			    struct mkv_build_image *image,
			    struct mkv_error *err)
{
	char set[256];
	(void)snprintf(set, sizeof(set), "image/%s", image->recipe->name);
	struct mkv_sha256 pack;
	int rc = mkv_build_rootfs(build, set, &image->tree, &pack, err);
	if (rc < 0)
		return rc;
	rc = find_kernel(build, image, err);
	if (rc < 0)
		return rc;
	return mkv_build_initramfs(build, image->recipe->name,
				   image->kernel_release, &pack, image->tree,
				   &image->initramfs, err);
}

/* The verifier's overlay is applied to every image, before the recipe's. */
static int put_additions(const struct mkv_build *build,
			 struct mkv_build_image *image, struct mkv_error *err)
{
	const struct mkv_strings tool = {(char *[]){MKV_TOOL_OVERLAY}, 1};
	int rc = mkv_build_overlays(build, &tool, image->tree, err);
	if (rc < 0)
		return rc;
	rc = mkv_build_overlays(build, &image->recipe->overlays, image->tree,
				err);
	if (rc < 0)
		return rc;
	rc = put_tool_files(build, image, err);
	if (rc < 0)
		return rc;
	return mkv_build_programs(build, &image->recipe->programs, image->tree,
				  err);
}

static int generate_files(const struct mkv_build *build, size_t index,
			  struct mkv_build_image *image, struct mkv_error *err)
{
	const struct mkv_generate_inputs inputs = {
		.recipe = build->recipe,
		.image = image->recipe,
		.image_index = index,
		.partition_uuids = (const uint8_t(*)[16])image->data_uuids,
	};
	int rc = make_uuids(build, image, err);
	return rc < 0 ? rc : mkv_generate(image->tree, &inputs, err);
}

static int prepare_image(const struct mkv_build *build,
			 const struct mkv_build_oci *oci, size_t index,
			 struct mkv_build_image *image, struct mkv_error *err)
{
	int rc = install_packages(build, image, err);
	if (rc < 0)
		return rc;
	rc = put_additions(build, image, err);
	if (rc < 0)
		return rc;
	rc = generate_files(build, index, image, err);
	if (rc < 0)
		return rc;
	rc = put_oci_images(build, image, oci, err);
	if (rc < 0)
		return rc;
	rc = mkv_contract_command_line(build->recipe, image->recipe,
				       image->root_uuid, &image->command_line,
				       err);
	if (rc < 0)
		return rc;
	rc = mkv_units_list(image->tree, &image->enabled, &image->masked, err);
	return rc < 0 ? rc : list_files(image, err);
}

int mkv_build_image_prepare(const struct mkv_build *build, size_t index,
			    const struct mkv_build_oci *oci,
			    struct mkv_build_image *ret, struct mkv_error *err)
{
	*ret = (struct mkv_build_image){.recipe =
						&build->recipe->images[index]};
	int rc = prepare_image(build, oci, index, ret, err);
	if (rc < 0) {
		const char *name = build->recipe->images[index].name;
		mkv_build_image_done(ret);
		return mkv_wrap(err, rc, "image '%s'", name);
	}
	return 0;
}

int mkv_build_image_seal(struct mkv_build_image *image,
			 const struct mkv_buf *contract,
			 const struct mkv_buf *bundle, struct mkv_error *err)
{
	const struct {
		const char *path;
		const struct mkv_buf *text;
	} rows[] = {
		{MKV_CONTRACT_PATH, contract},
		{MKV_CONTRACT_BUNDLE_PATH, bundle},
		{MKV_FILES_LIST_PATH, &image->files},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc = mkv_tree_put_file(image->tree, rows[i].path, 0644,
					   rows[i].text->data,
					   rows[i].text->size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

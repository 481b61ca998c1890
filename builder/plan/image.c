/* SPDX-License-Identifier: MIT */
/* An image's tree on its way from what dpkg installed to what is sealed. */
#include <string.h>

#include "builder/contract/contract.h"
#include "builder/generate/generate.h"
#include "builder/initramfs/initramfs.h"
#include "builder/oci/docker_root.h"
#include "builder/plan/build.h"
#include "builder/tree/listing.h"
#include "builder/units/units.h"
#include "lib/contract.h"

enum { INITRAMFS_VERSION = 1 };
#define INIT_PROGRAM "programs/initramfs"

/* What holds the contract can't be promised by it. */
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


static int put_own_programs(const struct mkv_build *build,
			    struct mkv_build_image *image,
			    struct mkv_error *err)
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
	/* The last one links a library that other images don't have. */
	if (!build->recipe->verify_sign)
		count--;
	for (size_t i = 0; i < count; i++) {
		int rc = mkv_build_program_put(build, rows[i].program,
					       rows[i].path, image->tree, err);
		if (rc < 0)
			return rc;
	}
	auto_buf struct mkv_buf pem = {0};
	mkv_public_key_pem(mkv_private_key_public(build->key), &pem);
	int rc = mkv_buf_check(&pem, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_put_file(image->tree, MKV_CONTRACT_KEY_PATH, 0644,
			       pem.data, pem.size, err);
	return rc < 0 ? rc
		      : mkv_build_programs(build, &image->recipe->programs,
					   image->tree, err);
}

static bool uses(const struct mkv_recipe *recipe, const struct mkv_image *image,
		 const char *oci)
{
	for (size_t i = 0; i < image->containers.count; i++)
		for (size_t j = 0; j < recipe->n_containers; j++)
			if (strcmp(recipe->containers[j].name,
				   image->containers.items[i]) == 0 &&
			    strcmp(recipe->containers[j].oci, oci) == 0)
				return true;
	return false;
}

/* The OCI images that the image's containers run, where Docker finds them. */
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
		if (uses(build->recipe, image->recipe,
			 build->recipe->oci_images[i].name))
			used[count++] = oci->images[i].image;
	return count ? mkv_docker_root_put(image->tree, used, count, err) : 0;
}

/* The one kernel of the image: /boot/vmlinuz-RELEASE of its package. */
static int find_kernel(const struct mkv_build *build,
		       struct mkv_build_image *image, struct mkv_error *err)
{
	static const char prefix[] = "vmlinuz-";
	const struct mkv_inode *boot = mkv_tree_lookup(image->tree, "/boot");
	size_t count = 0, found = 0;
	const struct mkv_entry *entries =
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
				"the image has %zu kernels in /boot; it needs "
				"exactly one",
				found);
	if (!image->kernel_release ||
	    asprintf(&image->kernel_package, "linux-image-%s",
		     image->kernel_release) < 0)
		return mkv_oom(err);
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

static int make_initramfs(const struct mkv_build *build,
			  const struct mkv_build_image *image,
			  struct mkv_content *init, struct mkv_content **ret,
			  struct mkv_error *err)
{
	auto_tree struct mkv_tree *tree = NULL;
	int rc = mkv_initramfs_build(image->tree, image->kernel_release, init,
				     build->lock->epoch_s, &tree, err);
	return rc < 0 ? rc : mkv_initramfs_pack(tree, ret, err);
}

static int keep_content(const struct mkv_build *build,
			const struct mkv_step *step, const char *name,
			struct mkv_content *content, struct mkv_error *err)
{
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	struct mkv_step_result result = {.count = 1};
	struct mkv_step_output *output = &result.outputs[0];
	int rc = mkv_store_new_open(build->store, &object, err);
	if (rc == 0)
		rc = mkv_content_copy_to(content, object.fd, 0, err);
	if (rc == 0)
		rc = mkv_store_new_commit(&object, NULL, &output->sha256, err);
	if (rc < 0)
		return rc;
	(void)snprintf(output->name, sizeof(output->name), "%s", name);
	output->size_bytes = mkv_content_size(content);
	return mkv_step_keep(step, build->store, &result, err);
}

static int open_result(const struct mkv_build *build,
		       const struct mkv_step_result *result,
		       struct mkv_content **ret, struct mkv_error *err)
{
	const struct mkv_step_output *output = &result->outputs[0];
	int fd = -1;
	int rc = mkv_store_get(build->store, &output->sha256, &fd, err);
	auto_source struct mkv_source *source = NULL;
	if (rc == 0)
		rc = mkv_source_new(fd, &source, err);
	if (rc < 0)
		return rc;
	*ret = mkv_content_range(source, 0, output->size_bytes,
				 &output->sha256);
	return *ret ? 0 : mkv_oom(err);
}

/* The release of an image's kernel as its package says it: see find_kernel(). */
static const char *locked_release(const struct mkv_build *build,
				  const char *image)
{
	static const char prefix[] = "linux-image-";
	char name[256];
	const char *found = NULL;
	(void)snprintf(name, sizeof(name), "image/%s", image);
	const struct mkv_lock_set *set = mkv_lock_find_set(build->lock, name);
	for (size_t i = 0; set && i < set->count; i++) {
		const char *package =
			build->lock->packages[set->packages[i]].name;
		const char *release = package + sizeof(prefix) - 1;
		if (strncmp(package, prefix, sizeof(prefix) - 1) == 0 &&
		    *release >= '0' && *release <= '9')
			found = release;
	}
	return found;
}

int mkv_build_initramfs_step(const struct mkv_build *build, const char *image,
			     const char *kernel_release,
			     const struct mkv_sha256 *pack,
			     struct mkv_step *ret, struct mkv_error *err)
{
	const char *release = kernel_release ? kernel_release
					     : locked_release(build, image);
	const struct mkv_sha256 *init =
		mkv_tool_files_find(build->tool, INIT_PROGRAM);
	if (!release || !init)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"the lock has no kernel of image '%s'", image);
	int rc = mkv_step_init(ret, "initramfs", INITRAMFS_VERSION, err,
			       "initramfs %s %s", build->recipe->name, image);
	if (rc < 0)
		return rc;
	mkv_step_input(ret, "kernel", "%s", release);
	mkv_step_input(ret, "epoch", "%lld", (long long)build->lock->epoch_s);
	mkv_step_input_sha256(ret, "root", pack);
	mkv_step_input_sha256(ret, "init", init);
	return 0;
}

static int get_initramfs(const struct mkv_build *build,
			 struct mkv_build_image *image,
			 const struct mkv_sha256 *pack, struct mkv_error *err)
{
	auto_content struct mkv_content *init = NULL;
	auto_step struct mkv_step step = {0};
	struct mkv_step_result result;
	int rc = mkv_build_initramfs_step(build, image->recipe->name,
					  image->kernel_release, pack, &step,
					  err);
	if (rc < 0)
		return rc;
	rc = mkv_step_find(&step, build->store, &result, err);
	if (rc == 0)
		rc = open_result(build, &result, &image->initramfs, err);
	if (rc != -ENOENT) /* that: not there, or damaged */
		return rc;
	auto_progress_step struct mkv_progress_step shown =
		mkv_progress_begin(build->progress, 0, "initramfs of %s",
				   image->recipe->name);
	rc = mkv_build_program(build, INIT_PROGRAM, &init, err);
	if (rc == 0)
		rc = make_initramfs(build, image, init, &image->initramfs, err);
	if (rc == 0)
		rc = keep_content(build, &step, "initramfs", image->initramfs,
				  err);
	mkv_progress_end(&shown, rc, NULL);
	return rc;
}

static int list_files(struct mkv_build_image *image, struct mkv_error *err)
{
	int rc = mkv_listing_write(image->tree, unlisted, &image->files, err);
	if (rc == 0)
		rc = mkv_sha256_bytes(image->files.data, image->files.size,
				      &image->files_sha256, err);
	for (size_t i = 0; i < image->files.size; i++)
		image->files_count += image->files.data[i] == '\n';
	return rc;
}

static int prepare(const struct mkv_build *build,
		   const struct mkv_build_oci *oci, size_t index,
		   struct mkv_build_image *image, struct mkv_error *err)
{
	char set[256];
	(void)snprintf(set, sizeof(set), "image/%s", image->recipe->name);
	struct mkv_sha256 pack;
	struct mkv_generate_inputs generate = {
		.recipe = build->recipe,
		.image = image->recipe,
		.image_index = index,
	};
	int rc = mkv_build_rootfs(build, set, &image->tree, &pack, err);
	if (rc == 0)
		rc = make_uuids(build, image, err);
	/* Before overlays: the kernel and its modules are the packages'. */
	if (rc == 0)
		rc = find_kernel(build, image, err);
	if (rc == 0)
		rc = get_initramfs(build, image, &pack, err);
	/* The verifier's units are in every image, whatever a recipe says. */
	if (rc == 0)
		rc = mkv_build_overlays(
			build,
			&(struct mkv_strings){(char *[]){MKV_TOOL_OVERLAY}, 1},
			image->tree, err);
	if (rc == 0)
		rc = mkv_build_overlays(build, &image->recipe->overlays,
					image->tree, err);
	if (rc == 0)
		rc = put_own_programs(build, image, err);
	generate.partition_uuids = (const uint8_t(*)[16])image->data_uuids;
	if (rc == 0)
		rc = mkv_generate(image->tree, &generate, err);
	if (rc == 0)
		rc = put_oci_images(build, image, oci, err);
	if (rc == 0)
		rc = mkv_contract_command_line(build->recipe, image->recipe,
					       image->root_uuid,
					       &image->command_line, err);
	if (rc == 0)
		rc = mkv_units_list(image->tree, &image->enabled,
				    &image->masked, err);
	return rc < 0 ? rc : list_files(image, err);
}

int mkv_build_image_prepare(const struct mkv_build *build, size_t index,
			    const struct mkv_build_oci *oci,
			    struct mkv_build_image *ret, struct mkv_error *err)
{
	*ret = (struct mkv_build_image){
		.recipe = &build->recipe->images[index]};
	int rc = prepare(build, oci, index, ret, err);
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

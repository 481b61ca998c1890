/* SPDX-License-Identifier: MIT */
#include "builder/build/steps/steps.h"

#include <string.h>

#include "builder/format/initramfs/initramfs.h"

enum { INITRAMFS_VERSION = 1 };
#define INIT_PROGRAM "programs/initramfs"

static int keep_content(const struct mkv_build *build,
			const struct mkv_step *step, const char *name,
			struct mkv_content *content, struct mkv_error *err)
{
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	struct mkv_step_result result = {.count = 1};
	struct mkv_step_output *output = &result.outputs[0];
	int rc = mkv_store_new_open(build->store, &object, err);
	if (rc < 0)
		return rc;
	rc = mkv_content_copy_to(content, object.fd, 0, err);
	if (rc < 0)
		return rc;
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
	if (rc < 0)
		return rc;
	auto_source struct mkv_source *source = NULL;
	rc = mkv_source_new(fd, &source, err);
	if (rc < 0)
		return rc;
	*ret = mkv_content_range(source, 0, output->size_bytes,
				 &output->sha256);
	return *ret ? 0 : mkv_oom(err);
}

/* The release of an image's kernel, from the name of its package in the lock.
 */
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
	const char *release =
		kernel_release ? kernel_release : locked_release(build, image);
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

static int make_initramfs(const struct mkv_build *build,
			  const struct mkv_step *step,
			  const char *kernel_release,
			  const struct mkv_tree *tree, struct mkv_content **ret,
			  struct mkv_error *err)
{
	auto_content struct mkv_content *init = NULL;
	auto_tree struct mkv_tree *files = NULL;
	int rc = mkv_build_program(build, INIT_PROGRAM, &init, err);
	if (rc < 0)
		return rc;
	rc = mkv_initramfs_build(tree, kernel_release, init,
				 build->lock->epoch_s, &files, err);
	if (rc < 0)
		return rc;
	auto_content struct mkv_content *packed = NULL;
	rc = mkv_initramfs_pack(files, &packed, err);
	if (rc < 0)
		return rc;
	rc = keep_content(build, step, "initramfs", packed, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(packed);
	return 0;
}

static int find_initramfs(const struct mkv_build *build,
			  const struct mkv_step *step, struct mkv_content **ret,
			  struct mkv_error *err)
{
	struct mkv_step_result result;
	int rc = mkv_step_find(step, build->store, &result, err);
	return rc < 0 ? rc : open_result(build, &result, ret, err);
}

int mkv_build_initramfs(const struct mkv_build *build, const char *image,
			const char *kernel_release,
			const struct mkv_sha256 *pack,
			const struct mkv_tree *tree, struct mkv_content **ret,
			struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	int rc = mkv_build_initramfs_step(build, image, kernel_release, pack,
					  &step, err);
	if (rc < 0)
		return rc;
	rc = find_initramfs(build, &step, ret, err);
	if (rc != -ENOENT) /* missing or damaged: built again */
		return rc;
	auto_progress_step struct mkv_progress_step shown = mkv_progress_begin(
		build->progress, 0, "initramfs of %s", image);
	rc = make_initramfs(build, &step, kernel_release, tree, ret, err);
	mkv_progress_end(&shown, rc, NULL);
	return rc;
}

/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/rootfs.h"

#include <string.h>

#include "builder/plan/build.h"
#include "builder/tree/pack.h"

static const struct mkv_lock_set *find_set(const struct mkv_build *build,
					   const char *name,
					   struct mkv_error *err)
{
	const struct mkv_lock_set *set = mkv_lock_find_set(build->lock, name);
	if (!set)
		(void)mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
			       "the lock has no set '%s': `mkvbench lock "
			       "--update` makes a new one",
			       name);
	return set;
}

static bool is_container(const char *set)
{
	return strncmp(set, "oci/", 4) == 0;
}

int mkv_build_rootfs_step(const struct mkv_build *build, const char *name,
			  struct mkv_step *ret, struct mkv_error *err)
{
	const struct mkv_lock_set *set = find_set(build, name, err);
	if (!set)
		return -ENOENT;
	auto_step struct mkv_step step = {0};
	int rc = mkv_step_init(&step, "rootfs", MKV_ROOTFS_VERSION, err,
			       "rootfs %s %s", build->recipe->name, name);
	if (rc < 0)
		return rc;
	mkv_step_input(&step, "suite", "%s", build->recipe->suite);
	mkv_step_input(&step, "container", "%d", is_container(name));
	mkv_step_input(&step, "epoch", "%lld", (long long)build->lock->epoch_s);
	for (size_t i = 0; i < set->count; i++) {
		const struct mkv_lock_package *p =
			&build->lock->packages[set->packages[i]];
		char hex[MKV_SHA256_HEX_SIZE];
		mkv_sha256_hex(&p->sha256, hex);
		char key[160];
		(void)snprintf(key, sizeof(key), "package/%s", p->name);
		mkv_step_input(&step, key, "%s %s %zu", p->version, hex, i);
	}
	*ret = step;
	step = (struct mkv_step){0};
	return 0;
}

/* The descriptors of a set's .debs, verified by the store. */
struct debs {
	struct mkv_rootfs_package *items;
	size_t count;
};

static void debs_done(struct debs *debs)
{
	for (size_t i = 0; i < debs->count; i++)
		mkv_auto_close_(&debs->items[i].deb_fd);
	free(debs->items);
}

static int open_debs(const struct mkv_build *build,
		     const struct mkv_lock_set *set, struct debs *ret,
		     struct mkv_error *err)
{
	ret->items = calloc(set->count, sizeof(*ret->items));
	if (!ret->items)
		return mkv_oom(err);
	for (size_t i = 0; i < set->count; i++) {
		const struct mkv_lock_package *p =
			&build->lock->packages[set->packages[i]];
		int fd = -1;
		int rc = mkv_store_get(build->store, &p->sha256, &fd, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "package %s %s", p->name,
					p->version);
		ret->items[ret->count++] = (struct mkv_rootfs_package){
			p->name, p->version, p->architecture, fd};
	}
	return 0;
}

static int install(const struct mkv_build *build,
		   const struct mkv_lock_set *set, bool container,
		   struct mkv_step_result *ret, struct mkv_error *err)
{
	__attribute__((cleanup(debs_done))) struct debs debs = {0};
	int rc = open_debs(build, set, &debs, err);
	auto_store_new struct mkv_store_new pack = MKV_STORE_NEW_INIT;
	if (rc == 0)
		rc = mkv_store_new_open(build->store, &pack, err);
	if (rc < 0)
		return rc;
	struct mkv_rootfs_options options = {
		.epoch_s = build->lock->epoch_s,
		.suite = build->recipe->suite,
		.container = container,
	};
	rc = mkv_rootfs_build(debs.items, debs.count, &options, pack.fd,
			      build->progress, err);
	if (rc < 0)
		return rc;
	*ret = (struct mkv_step_result){.count = 1};
	(void)snprintf(ret->outputs[0].name, sizeof(ret->outputs[0].name),
		       "pack");
	off_t size = lseek(pack.fd, 0, SEEK_END);
	ret->outputs[0].size_bytes = size > 0 ? (uint64_t)size : 0;
	return mkv_store_new_commit(&pack, NULL, &ret->outputs[0].sha256, err);
}

static int open_tree(const struct mkv_build *build,
		     const struct mkv_step_result *result,
		     struct mkv_tree **ret, struct mkv_error *err)
{
	int fd = -1;
	int rc = mkv_store_get(build->store, &result->outputs[0].sha256, &fd,
			       err);
	return rc < 0 ? rc : mkv_pack_open(fd, ret, err);
}

/* -ENOENT when the store doesn't have it, or only a damaged one. */
static int find_tree(const struct mkv_build *build, const struct mkv_step *step,
		     const char *name, struct mkv_step_result *ret_result,
		     struct mkv_tree **ret, struct mkv_error *err)
{
	int rc = mkv_step_find(step, build->store, ret_result, err);
	if (rc == 0)
		rc = open_tree(build, ret_result, ret, err);
	if (rc < 0)
		return rc;
	mkv_progress_begin(build->progress, 0, "root file system %s", name);
	mkv_progress_end(build->progress, "cached");
	return 0;
}

int mkv_build_rootfs(const struct mkv_build *build, const char *name,
		     struct mkv_tree **ret, struct mkv_sha256 *ret_sha256,
		     struct mkv_error *err)
{
	const struct mkv_lock_set *set = find_set(build, name, err);
	if (!set)
		return -ENOENT;
	auto_step struct mkv_step step = {0};
	int rc = mkv_build_rootfs_step(build, name, &step, err);
	if (rc < 0)
		return rc;
	struct mkv_step_result result;
	rc = find_tree(build, &step, name, &result, ret, err);
	if (rc == -ENOENT) {
		rc = install(build, set, is_container(name), &result, err);
		if (rc == 0)
			rc = mkv_step_keep(&step, build->store, &result, err);
		if (rc == 0)
			rc = open_tree(build, &result, ret, err);
	}
	if (rc < 0)
		return mkv_wrap(err, rc, "root file system '%s'", name);
	*ret_sha256 = result.outputs[0].sha256;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "builder/build/steps/steps.h"

#include <string.h>

#include "builder/core/tree/pack.h"
#include "builder/rootfs/install/rootfs.h"

static const struct mkv_lock_set *
find_set(const struct mkv_build *build, const char *name, struct mkv_error *err)
{
	const struct mkv_lock_set *set = mkv_lock_find_set(build->lock, name);
	if (!set)
		(void)mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
			       "the lock has no set '%s': run `mkvbench lock "
			       "--update`",
			       name);
	return set;
}

static bool is_container(const char *set)
{
	return strncmp(set, "oci/", 4) == 0;
}

/* A step that installs packages of a set: the first `count`, or, if `order` is
 * not NULL, those with the indexes in `order`. */
static int init_step(const struct mkv_build *build,
		     const struct mkv_lock_set *set, const char *kind,
		     const size_t *order, size_t count, struct mkv_step *ret,
		     struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	int rc = mkv_step_init(&step, kind, MKV_ROOTFS_VERSION, err, "%s %s %s",
			       kind, build->recipe->name, set->name);
	if (rc < 0)
		return rc;
	mkv_step_input(&step, "suite", "%s", build->recipe->suite);
	mkv_step_input(&step, "container", "%d", is_container(set->name));
	mkv_step_input(&step, "epoch", "%lld", (long long)build->lock->epoch_s);
	for (size_t i = 0; i < count; i++) {
		size_t at = order ? order[i] : i;
		const struct mkv_lock_package *p =
			&build->lock->packages[set->packages[at]];
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

int mkv_build_rootfs_step(const struct mkv_build *build, const char *name,
			  struct mkv_step *ret, struct mkv_error *err)
{
	const struct mkv_lock_set *set = find_set(build, name, err);
	if (!set)
		return -ENOENT;
	return init_step(build, set, "rootfs", NULL, set->count, ret, err);
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

/* A set's packages, those of the base first. */
struct plan {
	struct debs debs;
	size_t *order;
	size_t n_base;
};

static void plan_done(struct plan *plan)
{
	debs_done(&plan->debs);
	free(plan->order);
}

static int make_plan(const struct mkv_build *build,
		     const struct mkv_lock_set *set, struct plan *plan,
		     struct mkv_error *err)
{
	int rc = open_debs(build, set, &plan->debs, err);
	if (rc < 0)
		return rc;
	size_t count = plan->debs.count;
	plan->order = calloc(count + 1, sizeof(*plan->order));
	auto_free struct mkv_rootfs_package *ordered =
		calloc(count + 1, sizeof(*ordered));
	if (!plan->order || !ordered)
		return mkv_oom(err);
	rc = mkv_rootfs_base(plan->debs.items, count, plan->order,
			     &plan->n_base, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count; i++)
		ordered[i] = plan->debs.items[plan->order[i]];
	memcpy(plan->debs.items, ordered, count * sizeof(*ordered));
	return 0;
}

/* Installs the first `count` packages of the plan, on the base if `base_fd` is
 * not -1. */
static int install_packages(const struct mkv_build *build,
			    const struct plan *plan, size_t count, int base_fd,
			    bool container, struct mkv_step_result *ret,
			    struct mkv_error *err)
{
	auto_store_new struct mkv_store_new pack = MKV_STORE_NEW_INIT;
	int rc = mkv_store_new_open(build->store, &pack, err);
	if (rc < 0)
		return rc;
	struct mkv_rootfs_options options = {
		.epoch_s = build->lock->epoch_s,
		.suite = build->recipe->suite,
		.container = container,
		.n_base = base_fd < 0 ? 0 : plan->n_base,
		.base_fd = base_fd,
	};
	rc = mkv_rootfs_build(plan->debs.items, count, &options, pack.fd,
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

/* -ENOENT when the store lacks the pack or had only a damaged one. */
static int find_pack(const struct mkv_build *build, const struct mkv_step *step,
		     struct mkv_step_result *ret, int *ret_fd,
		     struct mkv_error *err)
{
	int rc = mkv_step_find(step, build->store, ret, err);
	return rc < 0 ? rc
		      : mkv_store_get(build->store, &ret->outputs[0].sha256,
				      ret_fd, err);
}

/* Opens the base's pack, from the store or built now. */
static int get_base(const struct mkv_build *build,
		    const struct mkv_lock_set *set, const struct plan *plan,
		    struct mkv_step_result *ret, int *ret_fd,
		    struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	int rc = init_step(build, set, "base", plan->order, plan->n_base, &step,
			   err);
	if (rc < 0)
		return rc;
	rc = find_pack(build, &step, ret, ret_fd, err);
	if (rc != -ENOENT)
		return rc;
	rc = install_packages(build, plan, plan->n_base, -1,
			      is_container(set->name), ret, err);
	if (rc < 0)
		return rc;
	rc = mkv_step_keep(&step, build->store, ret, err);
	if (rc < 0)
		return rc;
	return mkv_store_get(build->store, &ret->outputs[0].sha256, ret_fd,
			     err);
}

/* Always installs on the base's pack, whether the store had it or not, so that
 * the bytes are made in one way only. */
static int install_set(const struct mkv_build *build,
		       const struct mkv_lock_set *set,
		       struct mkv_step_result *ret, struct mkv_error *err)
{
	__attribute__((cleanup(plan_done))) struct plan plan = {0};
	auto_fd int base_fd = -1;
	int rc = make_plan(build, set, &plan, err);
	if (rc < 0)
		return rc;
	rc = get_base(build, set, &plan, ret, &base_fd, err);
	if (rc < 0 || plan.n_base == plan.debs.count)
		return rc;
	return install_packages(build, &plan, plan.debs.count, base_fd,
				is_container(set->name), ret, err);
}

int mkv_build_rootfs_base_step(const struct mkv_build *build, const char *name,
			       struct mkv_step *ret, struct mkv_error *err)
{
	const struct mkv_lock_set *set = find_set(build, name, err);
	__attribute__((cleanup(plan_done))) struct plan plan = {0};
	if (!set)
		return -ENOENT;
	int rc = make_plan(build, set, &plan, err);
	return rc < 0 ? rc
		      : init_step(build, set, "base", plan.order, plan.n_base,
				  ret, err);
}

int mkv_build_rootfs_base(const struct mkv_build *build, const char *name,
			  struct mkv_error *err)
{
	const struct mkv_lock_set *set = find_set(build, name, err);
	__attribute__((cleanup(plan_done))) struct plan plan = {0};
	struct mkv_step_result result;
	auto_fd int base_fd = -1;
	if (!set)
		return -ENOENT;
	int rc = make_plan(build, set, &plan, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "base of '%s'", name);
	rc = get_base(build, set, &plan, &result, &base_fd, err);
	return rc < 0 ? mkv_wrap(err, rc, "base of '%s'", name) : 0;
}

static int make_tree(const struct mkv_build *build,
		     const struct mkv_lock_set *set,
		     const struct mkv_step *step,
		     struct mkv_step_result *ret_result, struct mkv_tree **ret,
		     struct mkv_error *err)
{
	int fd = -1;
	int rc = install_set(build, set, ret_result, err);
	if (rc < 0)
		return rc;
	rc = mkv_step_keep(step, build->store, ret_result, err);
	if (rc < 0)
		return rc;
	rc = mkv_store_get(build->store, &ret_result->outputs[0].sha256, &fd,
			   err);
	return rc < 0 ? rc : mkv_pack_open(fd, ret, err);
}

/* -ENOENT as find_pack(). */
static int find_tree(const struct mkv_build *build, const struct mkv_step *step,
		     const char *name, struct mkv_step_result *ret_result,
		     struct mkv_tree **ret, struct mkv_error *err)
{
	int fd = -1;
	int rc = find_pack(build, step, ret_result, &fd, err);
	if (rc < 0)
		return rc;
	rc = mkv_pack_open(fd, ret, err);
	if (rc < 0)
		return rc;
	struct mkv_progress_step shown = mkv_progress_begin(
		build->progress, 0, "root file system %s", name);
	mkv_progress_end(&shown, 0, "cached");
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
	if (rc == -ENOENT)
		rc = make_tree(build, set, &step, &result, ret, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "root file system '%s'", name);
	*ret_sha256 = result.outputs[0].sha256;
	return 0;
}

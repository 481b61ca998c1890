/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/resolve.h"

#include <string.h>

#include "builder/format/oci/external.h"
#include "builder/input/lock/index.h"
#include "builder/input/lock/local.h"
#include "builder/input/lock/requested.h"
#include "builder/input/lock/solve.h"
#include "lib/grow.h"
#include "lib/strings.h"

static int add_index(struct mkv_lock *lock, struct mkv_store *store,
		     const char *suite, bool may_miss,
		     const struct mkv_lock_options *options,
		     struct mkv_mirrors *mirrors, struct mkv_progress *progress,
		     struct mkv_error *err)
{
	struct mkv_lock_index index = {0};
	bool found = false;
	int rc = mkv_index_fetch(store, suite, may_miss, options, mirrors,
				 progress, &index, &found, err);
	if (rc < 0)
		return rc;
	if (!found) {
		mkv_progress_note(progress,
				  "no mirror holds suite '%s': continuing "
				  "without this suite",
				  suite);
		return 0;
	}
	struct mkv_lock_index *last =
		mkv_grow(&lock->indexes, &lock->n_indexes);
	if (!last) {
		free(index.suite);
		free(index.component);
		return mkv_oom(err);
	}
	*last = index;
	return 0;
}

/* Adds the indexes of the suite and of its security and updates suites, sorted
 * by name. The latter two are required when apt on this host uses them, and
 * optional with mirrors that the user gave. */
static int fetch_indexes(struct mkv_lock *lock, const char *suite,
			 struct mkv_store *store,
			 const struct mkv_lock_options *options,
			 struct mkv_progress *progress, struct mkv_error *err)
{
	auto_mirrors struct mkv_mirrors mirrors = {0};
	int rc = mkv_lock_open_mirrors(options, &mirrors, err);
	if (rc < 0)
		return rc;
	bool security = mirrors.given, updates = mirrors.given;
	for (size_t i = 0; i < mirrors.count; i++) {
		security |= mirrors.items[i].security;
		updates |= mirrors.items[i].updates;
	}
	char name[80];
	rc = add_index(lock, store, suite, false, options, &mirrors, progress,
		       err);
	if (rc < 0)
		return rc;
	(void)snprintf(name, sizeof(name), "%s-security", suite);
	rc = security ? add_index(lock, store, name, mirrors.given, options,
				  &mirrors, progress, err)
		      : 0;
	if (rc < 0)
		return rc;
	(void)snprintf(name, sizeof(name), "%s-updates", suite);
	return updates ? add_index(lock, store, name, mirrors.given, options,
				   &mirrors, progress, err)
		       : 0;
}

static int copy_indexes(struct mkv_lock *lock, const struct mkv_lock *from,
			struct mkv_error *err)
{
	for (size_t i = 0; i < from->n_indexes; i++) {
		struct mkv_lock_index *index =
			mkv_grow(&lock->indexes, &lock->n_indexes);
		if (!index)
			return mkv_oom(err);
		*index = from->indexes[i];
		index->suite = strdup(from->indexes[i].suite);
		index->component = strdup(from->indexes[i].component);
		if (!index->suite || !index->component)
			return mkv_oom(err);
	}
	return 0;
}

/* Whether the store has all indexes of a lock and one of them is of the suite.
 */
static bool has_indexes(const struct mkv_lock *pinned, const char *suite,
			struct mkv_store *store)
{
	bool fits = false;
	struct mkv_error ignored;
	for (size_t i = 0; i < pinned->n_indexes; i++) {
		auto_fd int fd = -1;
		if (mkv_store_get(store, &pinned->indexes[i].packages_sha256,
				  &fd, &ignored) < 0)
			return false;
		fits |= strcmp(pinned->indexes[i].suite, suite) == 0;
	}
	return fits;
}

static int get_indexes(struct mkv_lock *lock, const struct mkv_recipe *recipe,
		       struct mkv_store *store,
		       const struct mkv_lock_options *options,
		       const struct mkv_lock *pinned,
		       struct mkv_progress *progress, struct mkv_error *err)
{
	if (pinned && has_indexes(pinned, recipe->suite, store))
		return copy_indexes(lock, pinned, err);
	if (options->offline)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"offline: the store lacks the package indexes "
				"that are needed to resolve packages");
	if (pinned)
		mkv_progress_note(progress,
				  "the pinned package indexes are not in the "
				  "store: resolving against the current "
				  "indexes of the mirrors");
	return fetch_indexes(lock, recipe->suite, store, options, progress,
			     err);
}

static int load_solver(const struct mkv_lock *lock, struct mkv_store *store,
		       struct mkv_solver **ret, struct mkv_error *err)
{
	auto_solver struct mkv_solver *solver = NULL;
	int rc = mkv_solver_new(&solver, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < lock->n_indexes; i++) {
		auto_fd int fd = -1;
		rc = mkv_store_get(store, &lock->indexes[i].packages_sha256,
				   &fd, err);
		if (rc < 0)
			return rc;
		rc = mkv_solver_add(solver, lock->indexes[i].suite, fd, err);
		if (rc < 0)
			return rc;
	}
	mkv_solver_ready(solver);
	*ret = mkv_take(solver);
	return 0;
}

/* A package of a set, before the packages of all sets are merged. */
struct member {
	struct mkv_lock_package package;
	size_t set, position;
};
struct members {
	struct member *items;
	size_t count;
};

static void members_done(struct members *members)
{
	for (size_t i = 0; i < members->count; i++)
		mkv_lock_package_done(&members->items[i].package);
	free(members->items);
}

static int copy_requested(struct mkv_lock_set *set,
			  const struct mkv_requested_set *requested,
			  struct mkv_error *err)
{
	set->name = strdup(requested->set);
	if (!set->name)
		return mkv_oom(err);
	for (size_t i = 0; i < requested->names.count; i++) {
		int rc = mkv_strings_append(&set->requested,
					    strdup(requested->names.items[i]),
					    err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Moves `count` packages of set number `set` to the members, also on failure.
 */
static int take_members(struct members *members,
			struct mkv_lock_package *packages, size_t count,
			size_t set, struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < count; i++) {
		struct member *member =
			rc < 0 ? NULL
			       : mkv_grow(&members->items, &members->count);
		if (member) {
			*member = (struct member){packages[i], set, i};
			continue;
		}
		rc = mkv_oom(err);
		mkv_lock_package_done(&packages[i]);
	}
	return rc;
}

static int solve_set(struct mkv_solver *solver, struct mkv_lock *lock,
		     const struct mkv_requested_set *requested,
		     struct members *members, struct mkv_error *err)
{
	auto_free struct mkv_lock_package *packages = NULL;
	size_t count = 0;
	int rc = mkv_solver_solve(solver, requested, &packages, &count, err);
	if (rc < 0)
		return rc;
	rc = take_members(members, packages, count, lock->n_sets, err);
	if (rc < 0)
		return rc;
	struct mkv_lock_set *set = mkv_grow(&lock->sets, &lock->n_sets);
	if (!set)
		return mkv_oom(err);
	set->packages = calloc(count + 1, sizeof(*set->packages));
	set->count = count;
	return set->packages ? copy_requested(set, requested, err)
			     : mkv_oom(err);
}

static int by_package(const void *a, const void *b)
{
	const struct mkv_lock_package *x = &((const struct member *)a)->package;
	const struct mkv_lock_package *y = &((const struct member *)b)->package;
	int order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->version, y->version);
}

/* Moves every distinct package to the lock, sorted by name and version, and
 * points the sets at them. */
static int merge_members(struct mkv_lock *lock, struct members *members,
			 struct mkv_error *err)
{
	qsort(members->items, members->count, sizeof(*members->items),
	      by_package);
	for (size_t i = 0; i < members->count; i++) {
		struct member *member = &members->items[i];
		struct mkv_lock_package *last =
			lock->n_packages ? &lock->packages[lock->n_packages - 1]
					 : NULL;
		if (!last || strcmp(last->name, member->package.name) != 0 ||
		    strcmp(last->version, member->package.version) != 0) {
			last = mkv_grow(&lock->packages, &lock->n_packages);
			if (!last)
				return mkv_oom(err);
			*last = member->package;
			member->package = (struct mkv_lock_package){0};
		} else if (!mkv_sha256_equal(&last->sha256,
					     &member->package.sha256)) {
			return mkv_fail(err, MKV_FAILED, EBADMSG,
					"the indexes list package '%s' %s with "
					"two different SHA-256 digests",
					last->name, last->version);
		} else {
			mkv_lock_package_done(&member->package);
		}
		lock->sets[member->set].packages[member->position] =
			lock->n_packages - 1;
	}
	return 0;
}

static int solve_all(struct mkv_lock *lock,
		     const struct mkv_requested *requested,
		     struct mkv_store *store, struct mkv_error *err)
{
	auto_solver struct mkv_solver *solver = NULL;
	__attribute__((cleanup(members_done))) struct members members = {0};
	int rc = load_solver(lock, store, &solver, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < requested->n_sets; i++) {
		rc = solve_set(solver, lock, &requested->sets[i], &members,
			       err);
		if (rc < 0)
			return rc;
	}
	return members.count ? merge_members(lock, &members, err) : 0;
}

static int solve_with_progress(struct mkv_lock *lock,
			       const struct mkv_requested *requested,
			       struct mkv_store *store,
			       struct mkv_progress *progress,
			       struct mkv_error *err)
{
	auto_progress_step struct mkv_progress_step step = mkv_progress_begin(
		progress, 0, "resolve packages for %zu image%s",
		requested->n_sets, requested->n_sets == 1 ? "" : "s");
	int rc = solve_all(lock, requested, store, err);
	mkv_progress_end(&step, rc, NULL);
	return rc;
}

/* A new lock with indexes, packages and sets only. */
static int resolve_packages(const struct mkv_recipe *recipe,
			    const struct mkv_requested *requested,
			    struct mkv_store *store,
			    const struct mkv_lock_options *options,
			    const struct mkv_lock *pinned,
			    struct mkv_progress *progress,
			    struct mkv_lock **ret, struct mkv_error *err)
{
	auto_lock struct mkv_lock *lock = calloc(1, sizeof(*lock));
	if (!lock)
		return mkv_oom(err);
	int rc = get_indexes(lock, recipe, store, options, pinned, progress,
			     err);
	if (rc < 0)
		return rc;
	rc = solve_with_progress(lock, requested, store, progress, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(lock);
	return 0;
}

static int get_packages(const struct mkv_recipe *recipe,
			const struct mkv_requested *requested,
			struct mkv_store *store,
			const struct mkv_lock_options *options,
			const struct mkv_lock *pinned,
			struct mkv_progress *progress, struct mkv_lock **ret,
			struct mkv_error *err)
{
	struct mkv_error ignored;
	auto_lock struct mkv_lock *lock = NULL;
	bool is_kept = pinned &&
		       mkv_lock_check_packages(pinned, recipe, &ignored) >= 0;
	int rc = is_kept ? mkv_lock_copy(pinned, &lock, err)
			 : resolve_packages(recipe, requested, store, options,
					    pinned, progress, &lock, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < lock->n_indexes; i++)
		if (lock->indexes[i].date_s > lock->epoch_s)
			lock->epoch_s = lock->indexes[i].date_s;
	*ret = mkv_take(lock);
	return 0;
}

static void drop_locals_and_externals(struct mkv_lock *lock)
{
	for (size_t i = 0; i < lock->n_locals; i++)
		free(lock->locals[i].name);
	for (size_t i = 0; i < lock->n_externals; i++) {
		free(lock->externals[i].reference);
		free(lock->externals[i].digest);
	}
	free(mkv_take(lock->locals));
	free(mkv_take(lock->externals));
	lock->n_locals = lock->n_externals = 0;
}

static const char *pinned_digest(const struct mkv_lock *pinned,
				 const char *reference)
{
	for (size_t i = 0; pinned && i < pinned->n_externals; i++)
		if (strcmp(pinned->externals[i].reference, reference) == 0)
			return pinned->externals[i].digest;
	return NULL;
}

static int add_external(struct mkv_lock *lock, const char *reference,
			const struct mkv_lock_options *options,
			const struct mkv_lock *pinned, struct mkv_error *err)
{
	const char *known = pinned_digest(pinned, reference);
	struct mkv_lock_external *external =
		mkv_grow(&lock->externals, &lock->n_externals);
	if (!external || !(external->reference = strdup(reference)))
		return mkv_oom(err);
	if (known) {
		external->digest = strdup(known);
		return external->digest ? 0 : mkv_oom(err);
	}
	if (options->offline)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"offline: cannot resolve external OCI image "
				"'%s'",
				reference);
	return mkv_oci_external_resolve(reference, &external->digest, err);
}

int mkv_lock_resolve(const struct mkv_recipe *recipe, struct mkv_store *store,
		     const struct mkv_lock_options *options,
		     const struct mkv_lock *pinned,
		     struct mkv_progress *progress, struct mkv_lock **ret,
		     struct mkv_error *err)
{
	auto_requested struct mkv_requested requested = {0};
	auto_lock struct mkv_lock *lock = NULL;
	int rc = mkv_requested_init(recipe, &requested, err);
	if (rc < 0)
		return rc;
	rc = get_packages(recipe, &requested, store, options, pinned, progress,
			  &lock, err);
	if (rc < 0)
		return rc;
	drop_locals_and_externals(lock);
	if (mkv_sha256_parse(recipe->sha256, &lock->recipe_sha256) < 0)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the recipe has no digest");
	rc = mkv_lock_add_locals(lock, recipe->path, &requested.overlays, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < requested.externals.count; i++) {
		rc = add_external(lock, requested.externals.items[i], options,
				  pinned, err);
		if (rc < 0)
			return rc;
	}
	*ret = mkv_take(lock);
	return 0;
}

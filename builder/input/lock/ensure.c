/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/ensure.h"

#include <string.h>

#include "builder/format/oci/external.h"
#include "builder/input/lock/local.h"
#include "builder/input/lock/resolve.h"
#include "lib/io.h"
#include "lib/strings.h"

char *mkv_lock_path_of(const char *recipe_path)
{
	size_t length = strlen(recipe_path);
	if (length > 5 && strcmp(recipe_path + length - 5, ".yaml") == 0)
		length -= 5;
	char *path = NULL;
	return asprintf(&path, "%.*s.lock", (int)length, recipe_path) < 0
		       ? NULL
		       : path;
}

int mkv_lock_open_mirrors(const struct mkv_lock_options *options,
			  struct mkv_mirrors *ret, struct mkv_error *err)
{
	auto_mirrors struct mkv_mirrors mirrors = {0};
	int rc = options->mirrors
			 ? mkv_mirrors_parse(options->mirrors, &mirrors, err)
			 : mkv_mirrors_of_host("/etc/apt", &mirrors, err);
	if (rc < 0)
		return rc;
	rc = mkv_mirrors_add_proxies(&mirrors, err);
	if (rc < 0)
		return rc;
	*ret = mirrors;
	mirrors = (struct mkv_mirrors){0};
	return 0;
}

/* Writes a lock unless its text equals that of `before` (*ret_same). The text
 * is parsed first, so that no unreadable lock is ever written. */
static int write_lock(const char *path, const struct mkv_lock *lock,
		      const struct mkv_lock *before, bool *ret_same,
		      struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	auto_buf struct mkv_buf old = {0};
	auto_lock struct mkv_lock *parsed = NULL;
	int rc = mkv_lock_print(lock, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_lock_parse(path, text.data, text.size, &parsed, err);
	if (rc < 0)
		return rc;
	rc = before ? mkv_lock_print(before, &old, err) : 0;
	if (rc < 0)
		return rc;
	*ret_same = before && old.size == text.size &&
		    memcmp(old.data, text.data, text.size) == 0;
	return *ret_same
		       ? 0
		       : mkv_write_file(path, 0644, text.data, text.size, err);
}

/* Puts the lock's path and the next step around the difference in `err`. */
static int fail_stale(const char *path, const struct mkv_recipe *recipe,
		      const struct mkv_lock_options *options,
		      struct mkv_error *err)
{
	char why[1024];
	(void)snprintf(why, sizeof(why), "%s", err->message);
	return mkv_fail(err, MKV_BAD_RECIPE, ESTALE,
			"lock '%s' does not match '%s': %s; run `mkvbench lock "
			"%s%s%s` to update the lock and keep its other pins, "
			"or add --update to move all pins",
			path, recipe->path, why, recipe->path,
			options->lock_path ? " --lock " : "",
			options->lock_path ? options->lock_path : "");
}

/* The digests that the overlays of a lock have now, as a lock with locals only.
 */
static int compute_locals(const struct mkv_recipe *recipe,
			  const struct mkv_lock *lock, struct mkv_lock **ret,
			  struct mkv_error *err)
{
	auto_strings struct mkv_strings overlays = {0};
	auto_lock struct mkv_lock *fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return mkv_oom(err);
	for (size_t i = 0; i < lock->n_locals; i++) {
		const char *name = strchr(lock->locals[i].name, '/') + 1;
		int rc = mkv_strings_append(&overlays, strdup(name), err);
		if (rc < 0)
			return rc;
	}
	int rc = mkv_lock_add_locals(fresh, recipe->path, &overlays, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(fresh);
	return 0;
}

/* Updates the digests of the overlays; every other line stays. */
static int renew_locals(const struct mkv_recipe *recipe, const char *path,
			const struct mkv_lock *before,
			struct mkv_progress *progress, struct mkv_lock **ret,
			struct mkv_error *err)
{
	auto_lock struct mkv_lock *lock = NULL;
	auto_lock struct mkv_lock *fresh = NULL;
	int rc = compute_locals(recipe, before, &fresh, err);
	if (rc < 0)
		return rc;
	rc = mkv_lock_copy(before, &lock, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < lock->n_locals; i++) {
		if (mkv_sha256_equal(&lock->locals[i].sha256,
				     &fresh->locals[i].sha256))
			continue;
		lock->locals[i].sha256 = fresh->locals[i].sha256;
		mkv_progress_note(progress,
				  "overlay '%s' changed since it was locked: "
				  "updated its digest in '%s'",
				  strchr(lock->locals[i].name, '/') + 1, path);
	}
	bool same = false;
	rc = write_lock(path, lock, before, &same, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(lock);
	return 0;
}

/* Returns a lock that matches the recipe, with the digests of its overlays
 * updated where their files changed. */
static int keep_lock(const struct mkv_recipe *recipe,
		     const struct mkv_lock_options *options, const char *path,
		     struct mkv_lock **before, struct mkv_progress *progress,
		     struct mkv_lock **ret, enum mkv_lock_state *ret_state,
		     struct mkv_error *err)
{
	const struct mkv_lock_local *changed = NULL;
	int rc = mkv_lock_compare_locals(*before, recipe->path, &changed, err);
	if (rc < 0)
		return rc;
	if (!changed) {
		*ret_state = MKV_LOCK_KEPT;
		*ret = mkv_take(*before);
		return 0;
	}
	if (options->locked) {
		(void)mkv_fail(err, MKV_BAD_RECIPE, ESTALE,
			       "%s changed since it was locked", changed->name);
		return fail_stale(path, recipe, options, err);
	}
	*ret_state = MKV_LOCK_CHANGED;
	return renew_locals(recipe, path, *before, progress, ret, err);
}

static int resolve_lock(const struct mkv_recipe *recipe,
			struct mkv_store *store,
			const struct mkv_lock_options *options,
			const char *path, const struct mkv_lock *before,
			struct mkv_progress *progress, struct mkv_lock **ret,
			enum mkv_lock_state *ret_state, struct mkv_error *err)
{
	auto_lock struct mkv_lock *lock = NULL;
	bool same = false;
	int rc = mkv_lock_resolve(recipe, store, options,
				  options->update ? NULL : before, progress,
				  &lock, err);
	if (rc < 0)
		return rc;
	rc = write_lock(path, lock, before, &same, err);
	if (rc < 0)
		return rc;
	*ret_state = same     ? MKV_LOCK_KEPT
		     : before ? MKV_LOCK_CHANGED
			      : MKV_LOCK_MADE;
	*ret = mkv_take(lock);
	return 0;
}

static int keep_or_resolve(const struct mkv_recipe *recipe,
			   struct mkv_store *store,
			   const struct mkv_lock_options *options,
			   const char *path, struct mkv_lock **before,
			   struct mkv_progress *progress, struct mkv_lock **ret,
			   enum mkv_lock_state *ret_state,
			   struct mkv_error *err)
{
	if (*before && !options->update) {
		int rc = mkv_lock_check(*before, recipe, err);
		if (rc == 0)
			return keep_lock(recipe, options, path, before,
					 progress, ret, ret_state, err);
		if (rc != -ESTALE)
			return rc;
		if (options->locked || !options->repin)
			return fail_stale(path, recipe, options, err);
	}
	if (options->locked && *before)
		return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
				"--locked: the lock '%s' would change: run "
				"`mkvbench lock %s`",
				path, recipe->path);
	if (options->locked)
		return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
				"--locked: there is no lock '%s': run "
				"`mkvbench lock %s`",
				path, recipe->path);
	return resolve_lock(recipe, store, options, path, *before, progress,
			    ret, ret_state, err);
}

int mkv_lock_ensure(const struct mkv_recipe *recipe, struct mkv_store *store,
		    const struct mkv_lock_options *options,
		    struct mkv_progress *progress, struct mkv_lock **ret,
		    enum mkv_lock_state *ret_state,
		    struct mkv_lock **ret_before, struct mkv_error *err)
{
	auto_free char *path = options->lock_path
				       ? strdup(options->lock_path)
				       : mkv_lock_path_of(recipe->path);
	if (!path)
		return mkv_oom(err);
	auto_lock struct mkv_lock *before = NULL;
	auto_lock struct mkv_lock *lock = NULL;
	enum mkv_lock_state state = MKV_LOCK_KEPT;
	int rc = mkv_lock_load(path, &before, err);
	if (rc < 0 && rc != -ENOENT && !(rc == -EINVAL && options->update))
		return rc;
	rc = keep_or_resolve(recipe, store, options, path, &before, progress,
			     &lock, &state, err);
	if (rc < 0)
		return rc;
	if (state == MKV_LOCK_MADE)
		mkv_progress_note(progress,
				  "no lock existed: wrote '%s' with %zu "
				  "packages",
				  path, lock->n_packages);
	*ret = mkv_take(lock);
	if (ret_state)
		*ret_state = state;
	if (ret_before)
		*ret_before = mkv_take(before);
	return 0;
}

static struct mkv_fetch_item *new_items(const struct mkv_lock *lock)
{
	struct mkv_fetch_item *items =
		calloc(lock->n_packages + 1, sizeof(*items));
	for (size_t i = 0; items && i < lock->n_packages; i++) {
		const struct mkv_lock_package *package = &lock->packages[i];
		items[i] = (struct mkv_fetch_item){
			.name = package->name,
			.archive = package->archive,
			.path = package->pool_path,
			.size_bytes = package->size_bytes,
			.sha256 = package->sha256,
		};
	}
	return items;
}

static int fetch_packages(const struct mkv_lock *lock, struct mkv_store *store,
			  const struct mkv_lock_options *options,
			  struct mkv_progress *progress, struct mkv_error *err)
{
	auto_mirrors struct mkv_mirrors mirrors = {0};
	auto_free struct mkv_fetch_item *items = new_items(lock);
	if (!items)
		return mkv_oom(err);
	struct mkv_fetch_options fetch = options->fetch;
	fetch.mirrors = &mirrors;
	/* A complete store needs no mirror, and no apt configuration. */
	fetch.offline = true;
	int rc = mkv_fetch_all(store, items, lock->n_packages, &fetch, progress,
			       err);
	if (rc != -ENOENT || options->offline)
		return rc;
	fetch.offline = false;
	fetch.advice = "use --mirror with a snapshot mirror that still has the "
		       "package, or move the pins with `mkvbench lock "
		       "--update`";
	rc = mkv_lock_open_mirrors(options, &mirrors, err);
	return rc < 0 ? rc
		      : mkv_fetch_all(store, items, lock->n_packages, &fetch,
				      progress, err);
}

static int fetch_externals(const struct mkv_lock *lock, struct mkv_store *store,
			   const struct mkv_lock_options *options,
			   struct mkv_error *err)
{
	for (size_t i = 0; i < lock->n_externals; i++) {
		auto_free char *directory = NULL;
		int rc = mkv_oci_external_keep(
			store, lock->externals[i].reference,
			lock->externals[i].digest, options->offline, &directory,
			err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_lock_fetch(const struct mkv_lock *lock, struct mkv_store *store,
		   const struct mkv_lock_options *options,
		   struct mkv_progress *progress, struct mkv_error *err)
{
	int rc = fetch_packages(lock, store, options, progress, err);
	return rc < 0 ? rc : fetch_externals(lock, store, options, err);
}

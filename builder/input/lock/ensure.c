/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/ensure.h"

#include <string.h>

#include "builder/format/oci/external.h"
#include "builder/input/lock/local.h"
#include "builder/input/lock/resolve.h"
#include "lib/io.h"

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
	if (rc == 0)
		rc = mkv_mirrors_add_proxies(&mirrors, err);
	if (rc < 0)
		return rc;
	*ret = mirrors;
	mirrors = (struct mkv_mirrors){0};
	return 0;
}

/* Writes a lock, and reads the text back before: what was written must be
 * readable. *ret_same when it is what `before` says. */
static int save(const char *path, const struct mkv_lock *lock,
		const struct mkv_lock *before, bool *ret_same,
		struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	auto_buf struct mkv_buf old = {0};
	auto_lock struct mkv_lock *again = NULL;
	int rc = mkv_lock_print(lock, &text, err);
	if (rc == 0)
		rc = mkv_lock_parse(path, text.data, text.size, &again, err);
	if (rc == 0 && before)
		rc = mkv_lock_print(before, &old, err);
	if (rc < 0)
		return rc;
	*ret_same = before && old.size == text.size &&
		    memcmp(old.data, text.data, text.size) == 0;
	return *ret_same
		       ? 0
		       : mkv_write_file(path, 0644, text.data, text.size, err);
}

static int stale(const char *path, const struct mkv_recipe *recipe,
		 const struct mkv_lock_options *options, struct mkv_error *err)
{
	char why[1024];
	(void)snprintf(why, sizeof(why), "%s", err->message);
	return mkv_fail(err, MKV_BAD_RECIPE, ESTALE,
			"lock '%s' does not match '%s': %s; `mkvbench lock "
			"%s%s%s` makes it match and keeps the pins that it "
			"can, with --update it moves them all",
			path, recipe->path, why, recipe->path,
			options->lock_path ? " --lock " : "",
			options->lock_path ? options->lock_path : "");
}

/* The lock matches but for the overlays' digests: only their lines change. */
static int renew_locals(const struct mkv_recipe *recipe, const char *path,
			const struct mkv_lock *before,
			struct mkv_progress *progress, struct mkv_lock **ret,
			struct mkv_error *err)
{
	struct mkv_strings overlays = {
		.items = calloc(before->n_locals + 1, sizeof(char *))};
	if (!overlays.items)
		return mkv_oom(err);
	for (size_t i = 0; i < before->n_locals; i++)
		overlays.items[overlays.count++] =
			strchr(before->locals[i].name, '/') + 1;
	auto_buf struct mkv_buf text = {0};
	auto_lock struct mkv_lock *lock = NULL;
	struct mkv_lock fresh = {0};
	int rc = mkv_lock_add_locals(&fresh, recipe->path, &overlays, err);
	if (rc == 0)
		rc = mkv_lock_print(before, &text, err);
	if (rc == 0)
		rc = mkv_lock_parse(path, text.data, text.size, &lock, err);
	for (size_t i = 0; rc == 0 && i < lock->n_locals; i++) {
		if (mkv_sha256_equal(&lock->locals[i].sha256,
				     &fresh.locals[i].sha256))
			continue;
		lock->locals[i].sha256 = fresh.locals[i].sha256;
		mkv_progress_note(progress,
				  "overlay '%s' changed since it was locked: "
				  "'%s' now pins it as it is",
				  overlays.items[i], path);
	}
	for (size_t i = 0; i < fresh.n_locals; i++)
		free(fresh.locals[i].name);
	free(fresh.locals);
	free(overlays.items);
	bool same = false;
	if (rc == 0)
		rc = save(path, lock, before, &same, err);
	if (rc == 0)
		*ret = mkv_take(lock);
	return rc;
}

/* A lock that matches the recipe: as it is, or with its overlays renewed. */
static int keep(const struct mkv_recipe *recipe,
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
		return stale(path, recipe, options, err);
	}
	*ret_state = MKV_LOCK_CHANGED;
	return renew_locals(recipe, path, *before, progress, ret, err);
}

static int renew(const struct mkv_recipe *recipe, struct mkv_store *store,
		 const struct mkv_lock_options *options, const char *path,
		 const struct mkv_lock *before, struct mkv_progress *progress,
		 struct mkv_lock **ret, enum mkv_lock_state *ret_state,
		 struct mkv_error *err)
{
	auto_lock struct mkv_lock *lock = NULL;
	bool same = false;
	int rc = mkv_lock_resolve(recipe, store, options,
				  options->update ? NULL : before, progress,
				  &lock, err);
	if (rc == 0)
		rc = save(path, lock, before, &same, err);
	if (rc < 0)
		return rc;
	*ret_state = same     ? MKV_LOCK_KEPT
		     : before ? MKV_LOCK_CHANGED
			      : MKV_LOCK_MADE;
	*ret = mkv_take(lock);
	return 0;
}

static int decide(const struct mkv_recipe *recipe, struct mkv_store *store,
		  const struct mkv_lock_options *options, const char *path,
		  struct mkv_lock **before, struct mkv_progress *progress,
		  struct mkv_lock **ret, enum mkv_lock_state *ret_state,
		  struct mkv_error *err)
{
	if (*before && !options->update) {
		int rc = mkv_lock_check(*before, recipe, err);
		if (rc == 0)
			return keep(recipe, options, path, before, progress,
				    ret, ret_state, err);
		if (rc != -ESTALE)
			return rc;
		if (options->locked || !options->repin)
			return stale(path, recipe, options, err);
	}
	if (options->locked)
		return mkv_fail(
			err, MKV_BAD_RECIPE, ENOENT,
			"--locked: %s '%s'; `mkvbench lock %s` makes it",
			*before ? "nothing may move in" : "there is no lock",
			path, recipe->path);
	return renew(recipe, store, options, path, *before, progress, ret,
		     ret_state, err);
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
	rc = decide(recipe, store, options, path, &before, progress, &lock,
		    &state, err);
	if (rc < 0)
		return rc;
	if (state == MKV_LOCK_MADE)
		mkv_progress_note(progress,
				  "there was no lock: '%s' now pins %zu "
				  "packages",
				  path, lock->n_packages);
	*ret = mkv_take(lock);
	if (ret_state)
		*ret_state = state;
	if (ret_before)
		*ret_before = mkv_take(before);
	return 0;
}

static struct mkv_fetch_item *items_of(const struct mkv_lock *lock)
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
	auto_free struct mkv_fetch_item *items = items_of(lock);
	if (!items)
		return mkv_oom(err);
	struct mkv_fetch_options fetch = options->fetch;
	fetch.mirrors = &mirrors;
	fetch.offline = true; /* what is there needs no mirror */
	int rc = mkv_fetch_all(store, items, lock->n_packages, &fetch, progress,
			       err);
	if (rc != -ENOENT || options->offline)
		return rc;
	fetch.offline = false;
	fetch.advice = "Two ways out: name a snapshot mirror that still has "
		       "the package with --mirror, or move the pins with "
		       "`mkvbench lock --update`.";
	rc = mkv_lock_open_mirrors(options, &mirrors, err);
	return rc < 0 ? rc
		      : mkv_fetch_all(store, items, lock->n_packages, &fetch,
				      progress, err);
}

static int fetch_externals(const struct mkv_lock *lock, struct mkv_store *store,
			   const struct mkv_lock_options *options,
			   struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < lock->n_externals; i++) {
		auto_free char *folder = NULL;
		rc = mkv_oci_external_keep(store, lock->externals[i].reference,
					   lock->externals[i].digest,
					   options->offline, &folder, err);
	}
	return rc;
}

int mkv_lock_fetch(const struct mkv_lock *lock, struct mkv_store *store,
		   const struct mkv_lock_options *options,
		   struct mkv_progress *progress, struct mkv_error *err)
{
	int rc = fetch_packages(lock, store, options, progress, err);
	return rc < 0 ? rc : fetch_externals(lock, store, options, err);
}

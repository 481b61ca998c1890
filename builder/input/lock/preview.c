/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/preview.h"

#include <string.h>

#include "builder/input/lock/local.h"
#include "builder/input/lock/requested.h"
#include "lib/strings.h"

void mkv_lock_preview_done(struct mkv_lock_preview *preview)
{
	mkv_lock_free(preview->lock);
	mkv_strings_done(&preview->differences);
	*preview = (struct mkv_lock_preview){0};
}

static int add_difference(struct mkv_lock_preview *preview,
			  enum mkv_lock_outlook outlook, const char *text,
			  struct mkv_error *err)
{
	if (outlook > preview->outlook)
		preview->outlook = outlook;
	return mkv_strings_append(&preview->differences, strdup(text), err);
}

static int visit_difference(enum mkv_lock_part part, const char *text,
			    void *context, struct mkv_error *err)
{
	struct mkv_lock_preview *preview = context;
	bool needs_resolving =
		part == MKV_LOCK_PACKAGES || part == MKV_LOCK_EXTERNALS;
	/* MKV_LOCK_RECIPE is visited last and its text states that nothing else
	 * changed. */
	if (part == MKV_LOCK_RECIPE && preview->differences.count)
		return 0;
	return add_difference(
		preview, needs_resolving ? MKV_LOCK_STALE : MKV_LOCK_REFUSED,
		text, err);
}

static const struct mkv_lock_local *find_local(const struct mkv_lock *lock,
					       const char *name)
{
	for (size_t i = 0; i < lock->n_locals; i++)
		if (strcmp(lock->locals[i].name, name) == 0)
			return &lock->locals[i];
	return NULL;
}

static int add_changed_locals(const struct mkv_lock *before,
			      const struct mkv_lock *now,
			      struct mkv_lock_preview *preview,
			      struct mkv_error *err)
{
	for (size_t i = 0; i < now->n_locals; i++) {
		const struct mkv_lock_local *old =
			find_local(before, now->locals[i].name);
		char text[256];
		if (!old ||
		    mkv_sha256_equal(&old->sha256, &now->locals[i].sha256))
			continue;
		(void)snprintf(text, sizeof(text),
			       "%s changed since it was locked",
			       now->locals[i].name);
		int rc = add_difference(preview, MKV_LOCK_RENEWED, text, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void swap_locals(struct mkv_lock *a, struct mkv_lock *b)
{
	struct mkv_lock_local *locals = a->locals;
	size_t count = a->n_locals;
	a->locals = b->locals;
	a->n_locals = b->n_locals;
	b->locals = locals;
	b->n_locals = count;
}

/* Updates the lines of a lock that follow from the recipe and its overlays. */
static int renew_derived(const struct mkv_recipe *recipe, struct mkv_lock *lock,
			 struct mkv_lock_preview *preview,
			 struct mkv_error *err)
{
	auto_requested struct mkv_requested requested = {0};
	auto_lock struct mkv_lock *fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return mkv_oom(err);
	int rc = mkv_requested_init(recipe, &requested, err);
	if (rc < 0)
		return rc;
	rc = mkv_lock_add_locals(fresh, recipe->path, &requested.overlays, err);
	if (rc < 0)
		return rc;
	rc = add_changed_locals(lock, fresh, preview, err);
	if (rc < 0)
		return rc;
	if (mkv_sha256_parse(recipe->sha256, &lock->recipe_sha256) < 0)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the recipe has no digest");
	swap_locals(lock, fresh);
	return 0;
}

int mkv_lock_preview_init(const struct mkv_recipe *recipe,
			  const char *lock_path, struct mkv_lock_preview *ret,
			  struct mkv_error *err)
{
	auto_lock_preview struct mkv_lock_preview preview = {0};
	auto_lock struct mkv_lock *lock = NULL;
	auto_free char *path =
		lock_path ? strdup(lock_path) : mkv_lock_path_of(recipe->path);
	if (!path)
		return mkv_oom(err);
	int rc = mkv_lock_load(path, &lock, err);
	if (rc == -ENOENT) {
		ret->outlook = MKV_LOCK_MISSING;
		return 0;
	}
	if (rc < 0)
		return rc;
	rc = mkv_lock_differences(lock, recipe, visit_difference, &preview,
				  err);
	if (rc < 0)
		return rc;
	rc = renew_derived(recipe, lock, &preview, err);
	if (rc < 0)
		return rc;
	if (preview.outlook != MKV_LOCK_STALE)
		preview.lock = mkv_take(lock);
	*ret = preview;
	preview = (struct mkv_lock_preview){0};
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/foresee.h"

#include <string.h>

#include "builder/input/lock/local.h"
#include "builder/input/lock/wants.h"
#include "lib/strings.h"

void mkv_lock_foresight_done(struct mkv_lock_foresight *foresight)
{
	mkv_lock_free(foresight->lock);
	mkv_strings_done(&foresight->differences);
	*foresight = (struct mkv_lock_foresight){0};
}

static int note(struct mkv_lock_foresight *ret, enum mkv_lock_outlook outlook,
		const char *text, struct mkv_error *err)
{
	if (outlook > ret->outlook)
		ret->outlook = outlook;
	return mkv_strings_append(&ret->differences, strdup(text), err);
}

static int tell(enum mkv_lock_part part, const char *text, void *context,
		struct mkv_error *err)
{
	struct mkv_lock_foresight *ret = context;
	bool resolved = part == MKV_LOCK_PACKAGES || part == MKV_LOCK_EXTERNALS;
	/* It comes last, and says that nothing else changed. */
	if (part == MKV_LOCK_RECIPE && ret->differences.count)
		return 0;
	return note(ret, resolved ? MKV_LOCK_STALE : MKV_LOCK_REFUSED, text,
		    err);
}

static const struct mkv_lock_local *find_local(const struct mkv_lock *lock,
					       const char *name)
{
	for (size_t i = 0; i < lock->n_locals; i++)
		if (strcmp(lock->locals[i].name, name) == 0)
			return &lock->locals[i];
	return NULL;
}

static int note_changes(const struct mkv_lock *before,
			const struct mkv_lock *now,
			struct mkv_lock_foresight *ret, struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < now->n_locals; i++) {
		const struct mkv_lock_local *old =
			find_local(before, now->locals[i].name);
		char text[256];
		if (!old ||
		    mkv_sha256_equal(&old->sha256, &now->locals[i].sha256))
			continue;
		(void)snprintf(text, sizeof(text),
			       "%s changed since it was locked",
			       now->locals[i].name);
		rc = note(ret, MKV_LOCK_RENEWED, text, err);
	}
	return rc;
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

/* The lock takes what follows from the recipe and its overlays alone. */
static int renew(const struct mkv_recipe *recipe, struct mkv_lock *lock,
		 struct mkv_lock_foresight *ret, struct mkv_error *err)
{
	auto_wants struct mkv_wants wants = {0};
	auto_lock struct mkv_lock *fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return mkv_oom(err);
	int rc = mkv_wants_of(recipe, &wants, err);
	if (rc == 0)
		rc = mkv_lock_add_locals(fresh, recipe->path, &wants.overlays,
					 err);
	if (rc == 0)
		rc = note_changes(lock, fresh, ret, err);
	if (rc == 0 &&
	    mkv_sha256_parse(recipe->sha256, &lock->recipe_sha256) < 0)
		rc = mkv_fail(err, MKV_FAILED, EINVAL, "recipe's digest");
	swap_locals(lock, fresh);
	return rc;
}

int mkv_lock_foresee(const struct mkv_recipe *recipe, const char *lock_path,
		     struct mkv_lock_foresight *ret, struct mkv_error *err)
{
	auto_lock_foresight struct mkv_lock_foresight found = {0};
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
	if (rc == 0)
		rc = mkv_lock_differences(lock, recipe, tell, &found, err);
	if (rc == 0)
		rc = renew(recipe, lock, &found, err);
	if (rc < 0)
		return rc;
	if (found.outlook != MKV_LOCK_STALE)
		found.lock = mkv_take(lock);
	*ret = found;
	found = (struct mkv_lock_foresight){0};
	return 0;
}

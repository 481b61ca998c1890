/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "builder/input/lock/lock.h"
#include "builder/input/lock/wants.h"

/* Who is told of differences; the first that doesn't answer 0 ends it. */
struct visit {
	const struct mkv_lock *lock;
	const struct mkv_recipe *recipe;
	mkv_lock_visit_difference *tell;
	void *context;
	struct mkv_error *err;
};

static int differs(const struct visit *v, enum mkv_lock_part part,
		   const char *format, ...) mkv_printf(3, 4);
static int differs(const struct visit *v, enum mkv_lock_part part,
		   const char *format, ...)
{
	char message[512];
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	return v->tell(part, message, v->context, v->err);
}

static bool holds(const struct mkv_strings *strings, const char *text)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcmp(strings->items[i], text) == 0)
			return true;
	return false;
}

static int check_set(const struct visit *v, const struct mkv_want *want,
		     const struct mkv_lock_set *set)
{
	char text[96];
	int rc = 0;
	mkv_set_text(want->set, text);
	if (!set)
		return differs(v, MKV_LOCK_PACKAGES,
			       "%s is new: the lock has no packages for it",
			       text);
	for (size_t i = 0; rc == 0 && i < want->names.count; i++)
		if (!holds(&set->wants, want->names.items[i]))
			rc = differs(v, MKV_LOCK_PACKAGES,
				     "%s now asks for package '%s', which the "
				     "lock was not made for",
				     text, want->names.items[i]);
	for (size_t i = 0; rc == 0 && i < set->wants.count; i++)
		if (!holds(&want->names, set->wants.items[i]))
			rc = differs(v, MKV_LOCK_PACKAGES,
				     "%s no longer asks for package '%s'", text,
				     set->wants.items[i]);
	return rc;
}

static int check_sets(const struct visit *v, const struct mkv_wants *wants)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < wants->n_sets; i++)
		rc = check_set(v, &wants->sets[i],
			       mkv_lock_find_set(v->lock, wants->sets[i].set));
	for (size_t i = 0; rc == 0 && i < v->lock->n_sets; i++) {
		bool wanted = false;
		for (size_t k = 0; k < wants->n_sets; k++)
			wanted |= strcmp(wants->sets[k].set,
					 v->lock->sets[i].name) == 0;
		char text[96];
		mkv_set_text(v->lock->sets[i].name, text);
		if (!wanted)
			rc = differs(v, MKV_LOCK_PACKAGES,
				     "the recipe has no %s any more", text);
	}
	return rc;
}

static int check_overlays(const struct visit *v, const struct mkv_wants *wants)
{
	const struct mkv_lock *lock = v->lock;
	size_t at = 0;
	for (; at < wants->overlays.count; at++)
		if (at >= lock->n_locals ||
		    strcmp(strchr(lock->locals[at].name, '/') + 1,
			   wants->overlays.items[at]) != 0)
			break;
	if (at == wants->overlays.count && at == lock->n_locals)
		return 0;
	return differs(v, MKV_LOCK_OVERLAYS,
		       "the overlays differ: recipe '%s', lock '%s'",
		       at < wants->overlays.count ? wants->overlays.items[at]
						  : "(no more)",
		       at < lock->n_locals ? lock->locals[at].name
					   : "(no more)");
}

static int check_externals(const struct visit *v, const struct mkv_wants *wants)
{
	const struct mkv_lock *lock = v->lock;
	size_t at = 0;
	for (; at < wants->externals.count; at++)
		if (at >= lock->n_externals ||
		    strcmp(lock->externals[at].reference,
			   wants->externals.items[at]) != 0)
			break;
	if (at == wants->externals.count && at == lock->n_externals)
		return 0;
	return differs(v, MKV_LOCK_EXTERNALS,
		       "the external OCI images differ: recipe '%s', lock '%s'",
		       at < wants->externals.count ? wants->externals.items[at]
						   : "(no more)",
		       at < lock->n_externals ? lock->externals[at].reference
					      : "(no more)");
}

static int check_suite(const struct visit *v)
{
	const struct mkv_lock *lock = v->lock;
	for (size_t i = 0; i < lock->n_indexes; i++)
		if (strcmp(lock->indexes[i].suite, v->recipe->suite) == 0)
			return 0;
	return differs(v, MKV_LOCK_PACKAGES,
		       "the recipe is for suite '%s', the lock for '%s'",
		       v->recipe->suite, lock->indexes[0].suite);
}

static int check_recipe(const struct visit *v)
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&v->lock->recipe_sha256, hex);
	if (strcmp(v->recipe->sha256, hex) == 0)
		return 0;
	return differs(v, MKV_LOCK_RECIPE,
		       "the recipe changed since it was locked, though no "
		       "package, overlay or OCI image did (recipe %.12s, lock "
		       "%.12s)",
		       v->recipe->sha256, hex);
}

int mkv_lock_differences(const struct mkv_lock *lock,
			 const struct mkv_recipe *recipe,
			 mkv_lock_visit_difference *tell, void *context,
			 struct mkv_error *err)
{
	const struct visit v = {lock, recipe, tell, context, err};
	auto_wants struct mkv_wants wants = {0};
	int rc = mkv_wants_of(recipe, &wants, err);
	if (rc == 0)
		rc = check_suite(&v);
	if (rc == 0)
		rc = check_sets(&v, &wants);
	if (rc == 0)
		rc = check_overlays(&v, &wants);
	if (rc == 0)
		rc = check_externals(&v, &wants);
	return rc < 0 ? rc : check_recipe(&v);
}

/* The first difference is an error. */
static int refuse(enum mkv_lock_part part, const char *text, void *context,
		  struct mkv_error *err)
{
	const bool *packages_alone = context;
	if (*packages_alone && part != MKV_LOCK_PACKAGES)
		return 0;
	return mkv_fail(err, MKV_BAD_RECIPE, ESTALE, "%s", text);
}

int mkv_lock_check_packages(const struct mkv_lock *lock,
			    const struct mkv_recipe *recipe,
			    struct mkv_error *err)
{
	bool packages_alone = true;
	return mkv_lock_differences(lock, recipe, refuse, &packages_alone, err);
}

int mkv_lock_check(const struct mkv_lock *lock, const struct mkv_recipe *recipe,
		   struct mkv_error *err)
{
	bool packages_alone = false;
	return mkv_lock_differences(lock, recipe, refuse, &packages_alone, err);
}

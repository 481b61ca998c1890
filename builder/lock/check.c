/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "builder/lock/lock.h"
#include "builder/lock/wants.h"

static int differs(struct mkv_error *err, const char *format, ...)
	mkv_printf(2, 3);
static int differs(struct mkv_error *err, const char *format, ...)
{
	char message[512];
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	return mkv_fail(err, MKV_BAD_RECIPE, ESTALE, "%s", message);
}

static bool holds(const struct mkv_strings *strings, const char *text)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcmp(strings->items[i], text) == 0)
			return true;
	return false;
}

static int check_set(const struct mkv_want *want,
		     const struct mkv_lock_set *set, struct mkv_error *err)
{
	char text[96];
	mkv_set_text(want->set, text);
	if (!set)
		return differs(err,
			       "%s is new: the lock has no packages for it",
			       text);
	for (size_t i = 0; i < want->names.count; i++)
		if (!holds(&set->wants, want->names.items[i]))
			return differs(
				err,
				"%s now asks for package '%s', which the "
				"lock was not made for",
				text, want->names.items[i]);
	for (size_t i = 0; i < set->wants.count; i++)
		if (!holds(&want->names, set->wants.items[i]))
			return differs(err,
				       "%s no longer asks for package '%s'",
				       text, set->wants.items[i]);
	return 0;
}

static int check_sets(const struct mkv_lock *lock,
		      const struct mkv_wants *wants, struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < wants->n_sets; i++)
		rc = check_set(&wants->sets[i],
			       mkv_lock_find_set(lock, wants->sets[i].set),
			       err);
	for (size_t i = 0; rc == 0 && i < lock->n_sets; i++) {
		bool wanted = false;
		for (size_t k = 0; k < wants->n_sets; k++)
			wanted |= strcmp(wants->sets[k].set,
					 lock->sets[i].name) == 0;
		char text[96];
		mkv_set_text(lock->sets[i].name, text);
		if (!wanted)
			rc = differs(err, "the recipe has no %s any more",
				     text);
	}
	return rc;
}

static int check_overlays(const struct mkv_lock *lock,
			  const struct mkv_wants *wants, struct mkv_error *err)
{
	size_t at = 0;
	for (; at < wants->overlays.count; at++)
		if (at >= lock->n_locals ||
		    strcmp(strchr(lock->locals[at].name, '/') + 1,
			   wants->overlays.items[at]) != 0)
			break;
	if (at == wants->overlays.count && at == lock->n_locals)
		return 0;
	return differs(err, "the overlays differ: recipe '%s', lock '%s'",
		       at < wants->overlays.count ? wants->overlays.items[at]
						  : "(no more)",
		       at < lock->n_locals ? lock->locals[at].name
					   : "(no more)");
}

static int check_externals(const struct mkv_lock *lock,
			   const struct mkv_wants *wants, struct mkv_error *err)
{
	size_t at = 0;
	for (; at < wants->externals.count; at++)
		if (at >= lock->n_externals ||
		    strcmp(lock->externals[at].reference,
			   wants->externals.items[at]) != 0)
			break;
	if (at == wants->externals.count && at == lock->n_externals)
		return 0;
	return differs(err,
		       "the external OCI images differ: recipe '%s', lock '%s'",
		       at < wants->externals.count ? wants->externals.items[at]
						   : "(no more)",
		       at < lock->n_externals ? lock->externals[at].reference
					      : "(no more)");
}

static int check_suite(const struct mkv_lock *lock,
		       const struct mkv_recipe *recipe, struct mkv_error *err)
{
	for (size_t i = 0; i < lock->n_indexes; i++)
		if (strcmp(lock->indexes[i].suite, recipe->suite) == 0)
			return 0;
	return differs(err, "the recipe is for suite '%s', the lock for '%s'",
		       recipe->suite, lock->indexes[0].suite);
}

int mkv_lock_check_packages(const struct mkv_lock *lock,
			    const struct mkv_recipe *recipe,
			    struct mkv_error *err)
{
	auto_wants struct mkv_wants wants = {0};
	int rc = mkv_wants_of(recipe, &wants, err);
	if (rc == 0)
		rc = check_suite(lock, recipe, err);
	if (rc == 0)
		rc = check_sets(lock, &wants, err);
	return rc;
}

int mkv_lock_check(const struct mkv_lock *lock, const struct mkv_recipe *recipe,
		   struct mkv_error *err)
{
	auto_wants struct mkv_wants wants = {0};
	int rc = mkv_lock_check_packages(lock, recipe, err);
	if (rc == 0)
		rc = mkv_wants_of(recipe, &wants, err);
	if (rc == 0)
		rc = check_overlays(lock, &wants, err);
	if (rc == 0)
		rc = check_externals(lock, &wants, err);
	if (rc < 0)
		return rc;
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&lock->recipe_sha256, hex);
	if (strcmp(recipe->sha256, hex) != 0)
		return differs(err,
			       "the recipe changed since it was locked, though "
			       "no package, overlay or OCI image did (recipe "
			       "%.12s, lock %.12s)",
			       recipe->sha256, hex);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "builder/input/lock/lock.h"
#include "builder/input/lock/requested.h"
#include "lib/strings.h"

struct visit {
	const struct mkv_lock *lock;
	const struct mkv_recipe *recipe;
	mkv_lock_visit_difference *visit;
	void *context;
	struct mkv_error *err;
};

static int report_difference(const struct visit *v, enum mkv_lock_part part,
			     const char *format, ...) mkv_printf(3, 4);
static int report_difference(const struct visit *v, enum mkv_lock_part part,
			     const char *format, ...)
{
	char message[512];
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	return v->visit(part, message, v->context, v->err);
}

static int check_set(const struct visit *v,
		     const struct mkv_requested_set *requested,
		     const struct mkv_lock_set *set)
{
	char label[96];
	mkv_set_label(requested->set, label);
	if (!set)
		return report_difference(v, MKV_LOCK_PACKAGES,
					 "%s is missing from the lock", label);
	for (size_t i = 0; i < requested->names.count; i++) {
		const char *name = requested->names.items[i];
		if (mkv_strings_has(&set->requested, name))
			continue;
		int rc = report_difference(
			v, MKV_LOCK_PACKAGES,
			"%s now requests package '%s', which the lock was not "
			"resolved for",
			label, name);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < set->requested.count; i++) {
		const char *name = set->requested.items[i];
		if (mkv_strings_has(&requested->names, name))
			continue;
		int rc = report_difference(v, MKV_LOCK_PACKAGES,
					   "%s no longer requests package '%s'",
					   label, name);
		if (rc)
			return rc;
	}
	return 0;
}

static bool has_set(const struct mkv_requested *requested, const char *name)
{
	for (size_t i = 0; i < requested->n_sets; i++)
		if (strcmp(requested->sets[i].set, name) == 0)
			return true;
	return false;
}

static int check_sets(const struct visit *v,
		      const struct mkv_requested *requested)
{
	for (size_t i = 0; i < requested->n_sets; i++) {
		const struct mkv_requested_set *set = &requested->sets[i];
		int rc =
			check_set(v, set, mkv_lock_find_set(v->lock, set->set));
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < v->lock->n_sets; i++) {
		const char *name = v->lock->sets[i].name;
		if (has_set(requested, name))
			continue;
		char label[96];
		mkv_set_label(name, label);
		int rc = report_difference(v, MKV_LOCK_PACKAGES,
					   "%s is no longer in the recipe",
					   label);
		if (rc)
			return rc;
	}
	return 0;
}

static int check_overlays(const struct visit *v,
			  const struct mkv_requested *requested)
{
	const struct mkv_lock *lock = v->lock;
	size_t at = 0;
	for (; at < requested->overlays.count; at++)
		if (at >= lock->n_locals ||
		    strcmp(strchr(lock->locals[at].name, '/') + 1,
			   requested->overlays.items[at]) != 0)
			break;
	if (at == requested->overlays.count && at == lock->n_locals)
		return 0;
	return report_difference(
		v, MKV_LOCK_OVERLAYS,
		"the overlays differ: recipe '%s', lock '%s'",
		at < requested->overlays.count ? requested->overlays.items[at]
					       : "(none)",
		at < lock->n_locals ? strchr(lock->locals[at].name, '/') + 1
				    : "(none)");
}

static int check_externals(const struct visit *v,
			   const struct mkv_requested *requested)
{
	const struct mkv_lock *lock = v->lock;
	size_t at = 0;
	for (; at < requested->externals.count; at++)
		if (at >= lock->n_externals ||
		    strcmp(lock->externals[at].reference,
			   requested->externals.items[at]) != 0)
			break;
	if (at == requested->externals.count && at == lock->n_externals)
		return 0;
	return report_difference(
		v, MKV_LOCK_EXTERNALS,
		"the external OCI images differ: recipe '%s', lock '%s'",
		at < requested->externals.count ? requested->externals.items[at]
						: "(none)",
		at < lock->n_externals ? lock->externals[at].reference
				       : "(none)");
}

static int check_suite(const struct visit *v)
{
	const struct mkv_lock *lock = v->lock;
	for (size_t i = 0; i < lock->n_indexes; i++)
		if (strcmp(lock->indexes[i].suite, v->recipe->suite) == 0)
			return 0;
	return report_difference(
		v, MKV_LOCK_PACKAGES,
		"the recipe is for suite '%s', the lock is for '%s'",
		v->recipe->suite, lock->indexes[0].suite);
}

static int check_recipe(const struct visit *v)
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&v->lock->recipe_sha256, hex);
	if (strcmp(v->recipe->sha256, hex) == 0)
		return 0;
	return report_difference(
		v, MKV_LOCK_RECIPE,
		"the recipe changed since it was locked, but its "
		"packages, overlays and OCI images did not (recipe "
		"%.12s, lock %.12s)",
		v->recipe->sha256, hex);
}

int mkv_lock_differences(const struct mkv_lock *lock,
			 const struct mkv_recipe *recipe,
			 mkv_lock_visit_difference *visit, void *context,
			 struct mkv_error *err)
{
	const struct visit v = {lock, recipe, visit, context, err};
	auto_requested struct mkv_requested requested = {0};
	int rc = mkv_requested_init(recipe, &requested, err);
	if (rc < 0)
		return rc;
	rc = check_suite(&v);
	if (rc)
		return rc;
	rc = check_sets(&v, &requested);
	if (rc)
		return rc;
	rc = check_overlays(&v, &requested);
	if (rc)
		return rc;
	rc = check_externals(&v, &requested);
	return rc ? rc : check_recipe(&v);
}

/* Turns the first difference into an error. */
static int refuse_difference(enum mkv_lock_part part, const char *text,
			     void *context, struct mkv_error *err)
{
	const bool *is_packages_only = context;
	if (*is_packages_only && part != MKV_LOCK_PACKAGES)
		return 0;
	return mkv_fail(err, MKV_BAD_RECIPE, ESTALE, "%s", text);
}

int mkv_lock_check_packages(const struct mkv_lock *lock,
			    const struct mkv_recipe *recipe,
			    struct mkv_error *err)
{
	bool is_packages_only = true;
	return mkv_lock_differences(lock, recipe, refuse_difference,
				    &is_packages_only, err);
}

int mkv_lock_check(const struct mkv_lock *lock, const struct mkv_recipe *recipe,
		   struct mkv_error *err)
{
	bool is_packages_only = false;
	return mkv_lock_differences(lock, recipe, refuse_difference,
				    &is_packages_only, err);
}

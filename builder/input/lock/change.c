/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/change.h"

#include <string.h>

/* One lock as a list of pins sorted by name. */
struct side {
	const struct mkv_lock *lock;
	size_t count;
	const char *(*name)(const struct mkv_lock *lock, size_t at);
	const char *(*value)(const struct mkv_lock *lock, size_t at);
};

static const char *package_name(const struct mkv_lock *lock, size_t at)
{
	return lock->packages[at].name;
}
static const char *package_value(const struct mkv_lock *lock, size_t at)
{
	return lock->packages[at].version;
}
static const char *local_name(const struct mkv_lock *lock, size_t at)
{
	return lock->locals[at].name;
}
static const char *no_value(const struct mkv_lock *lock mkv_unused,
			    size_t at mkv_unused)
{
	return "";
}
static const char *external_name(const struct mkv_lock *lock, size_t at)
{
	return lock->externals[at].reference;
}
static const char *external_value(const struct mkv_lock *lock, size_t at)
{
	return lock->externals[at].digest;
}

static bool is_same_local(const struct side *x, size_t at, const struct side *y,
			  size_t other)
{
	return x->name != local_name ||
	       mkv_sha256_equal(&x->lock->locals[at].sha256,
				&y->lock->locals[other].sha256);
}

/* Merges two lists that are sorted by name. Several versions of one package are
 * paired in their order. */
static int compare_sides(const char *what, const struct side *x,
			 const struct side *y, mkv_lock_visit_change *visit,
			 void *context, struct mkv_error *err)
{
	size_t i = 0, k = 0;
	while (i < x->count || k < y->count) {
		const char *left = i < x->count ? x->name(x->lock, i) : NULL;
		const char *right = k < y->count ? y->name(y->lock, k) : NULL;
		int order = !left ? 1 : !right ? -1 : strcmp(left, right);
		struct mkv_lock_change change = {
			.what = what, .name = order <= 0 ? left : right};
		bool is_same = order == 0 &&
			       strcmp(x->value(x->lock, i),
				      y->value(y->lock, k)) == 0 &&
			       is_same_local(x, i, y, k);
		if (order <= 0)
			change.old = x->value(x->lock, i++);
		if (order >= 0)
			change.new = y->value(y->lock, k++);
		if (is_same)
			continue;
		int rc = visit(&change, context, err);
		if (rc)
			return rc;
	}
	return 0;
}

int mkv_lock_compare(const struct mkv_lock *before,
		     const struct mkv_lock *after, mkv_lock_visit_change *visit,
		     void *context, struct mkv_error *err)
{
	const struct {
		const char *what;
		struct side x, y;
	} kinds[] = {
		{"package",
		 {before, before->n_packages, package_name, package_value},
		 {after, after->n_packages, package_name, package_value}},
		{"local",
		 {before, before->n_locals, local_name, no_value},
		 {after, after->n_locals, local_name, no_value}},
		{"external",
		 {before, before->n_externals, external_name, external_value},
		 {after, after->n_externals, external_name, external_value}},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int rc = compare_sides(kinds[i].what, &kinds[i].x, &kinds[i].y,
				       visit, context, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/parse_internal.h"

#include <string.h>

#include "builder/input/lock/valid.h"
#include "lib/grow.h"

enum { PACKAGES_MAX = 65536 };

static int check_order(const struct mkv_lock_line *line, int order,
		       struct mkv_error *err)
{
	if (order == 0)
		return mkv_line_bad(line, 1, err, "duplicate '%s'",
				    line->fields[1]);
	if (order > 0)
		return mkv_line_bad(line, 1, err, "'%s' is not in sorted order",
				    line->fields[1]);
	return 0;
}

static int read_header(struct mkv_lock_reading *r mkv_unused,
		       const struct mkv_lock_line *line, struct mkv_error *err)
{
	if (strcmp(line->fields[1], "1") != 0)
		return mkv_line_bad(
			line, 1, err,
			"schema '%.20s' is unknown; this tool reads schema "
			"%d",
			line->fields[1], MKV_LOCK_SCHEMA);
	return 0;
}

static int read_recipe(struct mkv_lock_reading *r,
		       const struct mkv_lock_line *line, struct mkv_error *err)
{
	return mkv_line_sha256(line, 1, &r->lock->recipe_sha256, err);
}

static int read_epoch(struct mkv_lock_reading *r,
		      const struct mkv_lock_line *line, struct mkv_error *err)
{
	uint64_t epoch = 0;
	int rc = mkv_line_number(line, 1, (uint64_t)MKV_LOCK_SECONDS_MAX,
				 &epoch, err);
	r->lock->epoch_s = (int64_t)epoch;
	return rc;
}

static int read_index(struct mkv_lock_reading *r,
		      const struct mkv_lock_line *line, struct mkv_error *err)
{
	struct mkv_lock *lock = r->lock;
	struct mkv_lock_index *index =
		mkv_grow(&lock->indexes, &lock->n_indexes);
	if (!index)
		return mkv_oom(err);
	uint64_t date = 0;
	int rc = mkv_line_text(line, 1, mkv_valid_suite, "a suite",
			       &index->suite, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_text(line, 2, mkv_valid_suite, "a component",
			   &index->component, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_number(line, 3, (uint64_t)MKV_LOCK_SECONDS_MAX, &date,
			     err);
	if (rc < 0)
		return rc;
	rc = mkv_line_sha256(line, 4, &index->release_sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_number(line, 5, MKV_LOCK_INDEX_BYTES_MAX,
			     &index->packages_size_bytes, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_sha256(line, 6, &index->packages_sha256, err);
	if (rc < 0)
		return rc;
	index->date_s = (int64_t)date;
	if (lock->n_indexes < 2)
		return 0;
	int order = strcmp(index[-1].suite, index->suite);
	if (order == 0)
		order = strcmp(index[-1].component, index->component);
	return check_order(line, order, err);
}

static int read_package_fields(struct mkv_lock_package *package,
			       const struct mkv_lock_line *line,
			       struct mkv_error *err)
{
	int rc = mkv_line_text(line, 1, mkv_valid_package_name,
			       "a package name", &package->name, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_text(line, 2, mkv_valid_version, "a version",
			   &package->version, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_text(line, 3, mkv_valid_architecture,
			   "an architecture (amd64 or all)",
			   &package->architecture, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_number(line, 4, MKV_LOCK_PACKAGE_BYTES_MAX,
			     &package->size_bytes, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_sha256(line, 5, &package->sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_text(line, 6, mkv_valid_archive,
			   "an archive (debian or debian-security)",
			   &package->archive, err);
	if (rc < 0)
		return rc;
	return mkv_line_text(line, 7, mkv_valid_pool_path,
			     "the path of a .deb below pool/",
			     &package->pool_path, err);
}

static int read_package(struct mkv_lock_reading *r,
			const struct mkv_lock_line *line, struct mkv_error *err)
{
	struct mkv_lock *lock = r->lock;
	if (lock->n_packages == PACKAGES_MAX)
		return mkv_line_bad(line, 0, err, "more than %d packages",
				    PACKAGES_MAX);
	struct mkv_lock_package *package =
		mkv_grow(&lock->packages, &lock->n_packages);
	if (!package)
		return mkv_oom(err);
	int rc = read_package_fields(package, line, err);
	if (rc < 0)
		return rc;
	r->total_bytes += package->size_bytes;
	if (r->total_bytes > (uint64_t)1 << 40)
		return mkv_line_bad(line, 4, err, "the packages exceed 1 TiB");
	if (lock->n_packages < 2)
		return 0;
	int order = strcmp(package[-1].name, package->name);
	if (order == 0)
		order = strcmp(package[-1].version, package->version);
	return check_order(line, order, err);
}

/* The set that a line belongs to: the last set, or a new set after it. */
static int open_set(struct mkv_lock_reading *r,
		    const struct mkv_lock_line *line, struct mkv_lock_set **ret,
		    struct mkv_error *err)
{
	struct mkv_lock *lock = r->lock;
	struct mkv_lock_set *last =
		lock->n_sets ? &lock->sets[lock->n_sets - 1] : NULL;
	int order = last ? strcmp(last->name, line->fields[1]) : -1;
	if (order == 0) {
		*ret = last;
		return 0;
	}
	if (last && last->count == 0)
		return mkv_line_bad(line, 1, err,
				    "the preceding set '%s' has no `in` line",
				    last->name);
	if (order > 0)
		return mkv_line_bad(line, 1, err,
				    "set '%s' is not in sorted order",
				    line->fields[1]);
	struct mkv_lock_set *set = mkv_grow(&lock->sets, &lock->n_sets);
	if (!set)
		return mkv_oom(err);
	*ret = set;
	return mkv_line_text(line, 1, mkv_valid_set_name,
			     "a set (image/NAME or oci/NAME)", &set->name, err);
}

static int read_want(struct mkv_lock_reading *r,
		     const struct mkv_lock_line *line, struct mkv_error *err)
{
	struct mkv_lock_set *set = NULL;
	int rc = open_set(r, line, &set, err);
	if (rc < 0)
		return rc;
	if (set->count)
		return mkv_line_bad(
			line, 0, err,
			"a `want` line follows an `in` line of the same set");
	char **name = mkv_grow(&set->requested.items, &set->requested.count);
	if (!name)
		return mkv_oom(err);
	rc = mkv_line_text(line, 2, mkv_valid_package_name, "a package name",
			   name, err);
	if (rc < 0)
		return rc;
	if (set->requested.count > 1 && strcmp(name[-1], *name) >= 0)
		return mkv_line_bad(line, 2, err, "'%s' is not in sorted order",
				    *name);
	return 0;
}

/* The first package of a name, or n_packages. */
static size_t find_first_package(const struct mkv_lock *lock, const char *name)
{
	size_t low = 0, high = lock->n_packages;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(lock->packages[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < lock->n_packages &&
		     strcmp(lock->packages[low].name, name) == 0;
	return found ? low : lock->n_packages;
}

static int find_in_package(const struct mkv_lock *lock,
			   const struct mkv_lock_line *line, size_t *ret,
			   struct mkv_error *err)
{
	char *version = strchr(line->fields[2], '=');
	if (version)
		*version++ = '\0';
	const char *name = line->fields[2];
	size_t at = find_first_package(lock, name);
	if (at == lock->n_packages)
		return mkv_line_bad(line, 2, err,
				    "no `package` line names '%.128s'", name);
	bool has_versions = at + 1 < lock->n_packages &&
			    strcmp(lock->packages[at + 1].name, name) == 0;
	if (has_versions != (version != NULL))
		return mkv_line_bad(
			line, 2, err,
			has_versions
				? "'%s' has several versions: write "
				  "NAME=VERSION"
				: "'%s' has one version: write only the name",
			name);
	while (version && strcmp(lock->packages[at].version, version) != 0) {
		at++;
		if (at == lock->n_packages ||
		    strcmp(lock->packages[at].name, name) != 0)
			return mkv_line_bad(
				line, 2, err,
				"no `package` line has version '%.128s' of "
				"'%s'",
				version, name);
	}
	*ret = at;
	return 0;
}

static int read_in(struct mkv_lock_reading *r, const struct mkv_lock_line *line,
		   struct mkv_error *err)
{
	struct mkv_lock *lock = r->lock;
	if (!r->member_of) {
		r->member_of =
			calloc(lock->n_packages + 1, sizeof(*r->member_of));
		if (!r->member_of)
			return mkv_oom(err);
	}
	struct mkv_lock_set *set = NULL;
	size_t at = 0;
	int rc = open_set(r, line, &set, err);
	if (rc < 0)
		return rc;
	rc = find_in_package(lock, line, &at, err);
	if (rc < 0)
		return rc;
	if (r->member_of[at] == lock->n_sets)
		return mkv_line_bad(line, 2, err, "set '%s' lists '%s' twice",
				    set->name, line->fields[2]);
	size_t *member = mkv_grow(&set->packages, &set->count);
	if (!member)
		return mkv_oom(err);
	*member = at;
	r->member_of[at] = lock->n_sets;
	return 0;
}

static int read_local(struct mkv_lock_reading *r,
		      const struct mkv_lock_line *line, struct mkv_error *err)
{
	struct mkv_lock *lock = r->lock;
	struct mkv_lock_local *local = mkv_grow(&lock->locals, &lock->n_locals);
	if (!local)
		return mkv_oom(err);
	int rc = mkv_line_text(line, 1, mkv_valid_local_name, "overlay/NAME",
			       &local->name, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_sha256(line, 2, &local->sha256, err);
	if (rc < 0 || lock->n_locals < 2)
		return rc;
	return check_order(line, strcmp(local[-1].name, local->name), err);
}

static int read_external(struct mkv_lock_reading *r,
			 const struct mkv_lock_line *line,
			 struct mkv_error *err)
{
	struct mkv_lock *lock = r->lock;
	struct mkv_lock_external *external =
		mkv_grow(&lock->externals, &lock->n_externals);
	if (!external)
		return mkv_oom(err);
	int rc = mkv_line_text(line, 1, mkv_valid_reference,
			       "the reference of an OCI image",
			       &external->reference, err);
	if (rc < 0)
		return rc;
	rc = mkv_line_text(line, 2, mkv_valid_oci_digest,
			   "a digest (sha256:...)", &external->digest, err);
	if (rc < 0 || lock->n_externals < 2)
		return rc;
	return check_order(
		line, strcmp(external[-1].reference, external->reference), err);
}

const struct mkv_line_row mkv_line_rows[MKV_LINE_KINDS] = {
	[MKV_LINE_HEADER] = {"mkvbench-lock", 2, read_header},
	[MKV_LINE_RECIPE] = {"recipe", 2, read_recipe},
	[MKV_LINE_EPOCH] = {"epoch", 2, read_epoch},
	[MKV_LINE_INDEX] = {"index", 7, read_index},
	[MKV_LINE_PACKAGE] = {"package", 8, read_package},
	[MKV_LINE_WANT] = {"want", 3, read_want},
	[MKV_LINE_IN] = {"in", 3, read_in},
	[MKV_LINE_LOCAL] = {"local", 3, read_local},
	[MKV_LINE_EXTERNAL] = {"external", 3, read_external},
};

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/input/lock/line.h"
#include "builder/input/lock/lock.h"
#include "builder/input/lock/valid.h"
#include "lib/grow.h"

enum { PACKAGES_MAX = 65536, LINES_MAX = 1000000 };

/* The kinds of lines, in the order of the file. */
enum kind { HEADER, RECIPE, EPOCH, INDEX, PACKAGE, WANT, IN, LOCAL, EXTERNAL };

struct reading {
	struct mkv_lock *lock;
	enum kind last;
	unsigned lines;
	uint64_t total_bytes;
	size_t *member_of; /* per package: 1 + the last set that lists it */
};

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

static int read_header(struct reading *r mkv_unused,
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

static int read_recipe(struct reading *r, const struct mkv_lock_line *line,
		       struct mkv_error *err)
{
	return mkv_line_sha256(line, 1, &r->lock->recipe_sha256, err);
}

static int read_epoch(struct reading *r, const struct mkv_lock_line *line,
		      struct mkv_error *err)
{
	uint64_t epoch = 0;
	int rc = mkv_line_number(line, 1, (uint64_t)MKV_LOCK_SECONDS_MAX,
				 &epoch, err);
	r->lock->epoch_s = (int64_t)epoch;
	return rc;
}

static int read_index(struct reading *r, const struct mkv_lock_line *line,
		      struct mkv_error *err)
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

static int read_package(struct reading *r, const struct mkv_lock_line *line,
			struct mkv_error *err)
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
static int open_set(struct reading *r, const struct mkv_lock_line *line,
		    struct mkv_lock_set **ret, struct mkv_error *err)
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

static int read_want(struct reading *r, const struct mkv_lock_line *line,
		     struct mkv_error *err)
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

static int read_in(struct reading *r, const struct mkv_lock_line *line,
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

static int read_local(struct reading *r, const struct mkv_lock_line *line,
		      struct mkv_error *err)
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

static int read_external(struct reading *r, const struct mkv_lock_line *line,
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

static const struct row {
	const char *keyword;
	size_t fields; /* with the keyword */
	int (*read)(struct reading *r, const struct mkv_lock_line *line,
		    struct mkv_error *err);
} rows[] = {
	[HEADER] = {"mkvbench-lock", 2, read_header},
	[RECIPE] = {"recipe", 2, read_recipe},
	[EPOCH] = {"epoch", 2, read_epoch},
	[INDEX] = {"index", 7, read_index},
	[PACKAGE] = {"package", 8, read_package},
	[WANT] = {"want", 3, read_want},
	[IN] = {"in", 3, read_in},
	[LOCAL] = {"local", 3, read_local},
	[EXTERNAL] = {"external", 3, read_external},
};

static int read_line(struct reading *r, const struct mkv_lock_line *line,
		     struct mkv_error *err)
{
	size_t kind = 0;
	while (kind <= EXTERNAL &&
	       strcmp(rows[kind].keyword, line->fields[0]) != 0)
		kind++;
	if (r->lines <= EPOCH && kind != r->lines)
		return mkv_line_bad(line, 0, err, "expected '%s'",
				    rows[r->lines].keyword);
	if (kind > EXTERNAL)
		return mkv_line_bad(line, 0, err,
				    "unknown line keyword '%.40s'",
				    line->fields[0]);
	bool back_to_want = kind == WANT && r->last == IN;
	bool again = kind == r->last && kind > EPOCH;
	if (r->lines > 0 && kind <= r->last && !again && !back_to_want)
		return mkv_line_bad(line, 0, err,
				    "'%s' lines must precede '%s' lines",
				    rows[kind].keyword, rows[r->last].keyword);
	if (line->count != rows[kind].fields)
		return mkv_line_bad(
			line, 0, err, "'%s' takes %zu fields, found %zu",
			rows[kind].keyword, rows[kind].fields, line->count);
	r->last = (enum kind)kind;
	r->lines++;
	return rows[kind].read(r, line, err);
}

static int read_lines(struct reading *r, struct mkv_lock_line *line, char *text,
		      size_t size, struct mkv_error *err)
{
	char *end = text + size;
	for (char *at = text; at < end;) {
		char *stop = memchr(at, '\n', (size_t)(end - at));
		line->number++;
		line->text = at;
		line->count = 0;
		if (!stop)
			return mkv_line_bad(
				line, 0, err,
				"the last line has no newline: the file is "
				"truncated");
		if (line->number > LINES_MAX)
			return mkv_line_bad(line, 0, err, "more than %d lines",
					    LINES_MAX);
		*stop = '\0';
		int rc = mkv_line_split(line, (size_t)(stop - at), err);
		if (rc < 0)
			return rc;
		rc = read_line(r, line, err);
		if (rc < 0)
			return rc;
		at = stop + 1;
	}
	return 0;
}

static bool set_has_package(const struct mkv_lock *lock,
			    const struct mkv_lock_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(lock->packages[set->packages[i]].name, name) == 0)
			return true;
	return false;
}

static int check_requested(const struct mkv_lock *lock,
			   const struct mkv_lock_line *line,
			   struct mkv_error *err)
{
	for (size_t i = 0; i < lock->n_sets; i++) {
		const struct mkv_lock_set *set = &lock->sets[i];
		for (size_t k = 0; k < set->requested.count; k++)
			if (!set_has_package(lock, set,
					     set->requested.items[k]))
				return mkv_line_bad(
					line, 0, err,
					"set '%s' requests '%s' but does not "
					"contain it",
					set->name, set->requested.items[k]);
	}
	return 0;
}

/* Conditions between lines. */
static int check_references(const struct reading *r, struct mkv_lock_line *line,
			    struct mkv_error *err)
{
	const struct mkv_lock *lock = r->lock;
	line->number++;
	line->count = 0;
	if (r->lines <= EPOCH)
		return mkv_line_bad(line, 0, err, "expected '%s'",
				    rows[r->lines].keyword);
	if (lock->n_indexes == 0)
		return mkv_line_bad(line, 0, err, "missing `index` line");
	if (lock->n_sets && lock->sets[lock->n_sets - 1].count == 0)
		return mkv_line_bad(line, 0, err, "set '%s' has no `in` line",
				    lock->sets[lock->n_sets - 1].name);
	for (size_t i = 0; i < lock->n_packages; i++)
		if (!r->member_of || !r->member_of[i])
			return mkv_line_bad(line, 0, err,
					    "package '%s' is in no set",
					    lock->packages[i].name);
	return check_requested(lock, line, err);
}

/* Refuses every other form that the checks above accept, like leading zeros. */
static int check_canonical(const char *path, const struct mkv_lock *lock,
			   const char *text, size_t size, struct mkv_error *err)
{
	auto_buf struct mkv_buf canonical = {0};
	int rc = mkv_lock_print(lock, &canonical, err);
	if (rc < 0)
		return rc;
	if (size == canonical.size && memcmp(text, canonical.data, size) == 0)
		return 0;
	unsigned line = 1;
	size_t column = 1;
	for (size_t i = 0;
	     i < size && i < canonical.size && text[i] == canonical.data[i];
	     i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
			"%s:%u:%zu: not in canonical form", path, line, column);
}

int mkv_lock_parse(const char *path, const char *text, size_t size,
		   struct mkv_lock **ret, struct mkv_error *err)
{
	auto_free char *copy = malloc(size + 1);
	auto_lock struct mkv_lock *lock = calloc(1, sizeof(*lock));
	if (!copy || !lock)
		return mkv_oom(err);
	memcpy(copy, text, size);
	copy[size] = '\0';
	struct reading reading = {.lock = lock};
	struct mkv_lock_line line = {.path = path, .text = copy};
	int rc = read_lines(&reading, &line, copy, size, err);
	auto_free size_t *member_of = reading.member_of;
	if (rc < 0)
		return rc;
	rc = check_references(&reading, &line, err);
	if (rc < 0)
		return rc;
	rc = check_canonical(path, lock, text, size, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(lock);
	return 0;
}

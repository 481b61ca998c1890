/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/parse_internal.h"

#include <string.h>

enum { LINES_MAX = 1000000 };

static int read_line(struct mkv_lock_reading *r,
		     const struct mkv_lock_line *line, struct mkv_error *err)
{
	size_t kind = 0;
	while (kind <= MKV_LINE_EXTERNAL &&
	       strcmp(mkv_line_rows[kind].keyword, line->fields[0]) != 0)
		kind++;
	if (r->lines <= MKV_LINE_EPOCH && kind != r->lines)
		return mkv_line_bad(line, 0, err, "expected '%s'",
				    mkv_line_rows[r->lines].keyword);
	if (kind > MKV_LINE_EXTERNAL)
		return mkv_line_bad(line, 0, err,
				    "unknown line keyword '%.40s'",
				    line->fields[0]);
	bool back_to_want = kind == MKV_LINE_WANT && r->last == MKV_LINE_IN;
	bool again = kind == r->last && kind > MKV_LINE_EPOCH;
	if (r->lines > 0 && kind <= r->last && !again && !back_to_want)
		return mkv_line_bad(line, 0, err,
				    "'%s' lines must precede '%s' lines",
				    mkv_line_rows[kind].keyword,
				    mkv_line_rows[r->last].keyword);
	if (line->count != mkv_line_rows[kind].fields)
		return mkv_line_bad(line, 0, err,
				    "'%s' takes %zu fields, found %zu",
				    mkv_line_rows[kind].keyword,
				    mkv_line_rows[kind].fields, line->count);
	r->last = (enum mkv_line_kind)kind;
	r->lines++;
	return mkv_line_rows[kind].read(r, line, err);
}

static int read_lines(struct mkv_lock_reading *r, struct mkv_lock_line *line,
		      char *text, size_t size, struct mkv_error *err)
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
static int check_references(const struct mkv_lock_reading *r,
			    struct mkv_lock_line *line, struct mkv_error *err)
{
	const struct mkv_lock *lock = r->lock;
	line->number++;
	line->count = 0;
	if (r->lines <= MKV_LINE_EPOCH)
		return mkv_line_bad(line, 0, err, "expected '%s'",
				    mkv_line_rows[r->lines].keyword);
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

static void reading_done(struct mkv_lock_reading *reading)
{
	free(reading->member_of);
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
	__attribute__((
		cleanup(reading_done))) struct mkv_lock_reading reading = {
		.lock = lock};
	struct mkv_lock_line line = {.path = path, .text = copy};
	int rc = read_lines(&reading, &line, copy, size, err);
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

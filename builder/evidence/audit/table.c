/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit/table.h"

#include <string.h>

#include "builder/evidence/audit/audit_internal.h"
#include "lib/listing.h"

static void entry_done(struct mkv_audit_entry *entry)
{
	free(entry->path);
	free(entry->target);
	free(entry->xattrs);
}

void mkv_audit_table_done(struct mkv_audit_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		entry_done(&table->items[i]);
	free(table->items);
	*table = (struct mkv_audit_table){0};
}

static int reserve_entry(struct mkv_audit_table *table, struct mkv_error *err)
{
	if (table->count == MKV_AUDIT_ENTRIES_MAX)
		return mkv_fail(err, MKV_HOST_CANNOT, E2BIG,
				"more than %d entries", MKV_AUDIT_ENTRIES_MAX);
	if (table->count < table->capacity)
		return 0;
	size_t capacity = table->capacity ? 2 * table->capacity : 1024;
	struct mkv_audit_entry *items =
		reallocarray(table->items, capacity, sizeof(*items));
	if (!items)
		return mkv_oom(err);
	table->items = items;
	table->capacity = capacity;
	return 0;
}

int mkv_audit_table_add(struct mkv_audit_table *table,
			struct mkv_audit_entry *entry, struct mkv_error *err)
{
	int rc = reserve_entry(table, err);
	if (rc >= 0 && (!entry->path || !entry->xattrs))
		rc = mkv_oom(err);
	if (rc < 0)
		entry_done(entry);
	else
		table->items[table->count++] = *entry;
	*entry = (struct mkv_audit_entry){0};
	return rc;
}

/* The order of a walk: by components, so '/' sorts before every other byte. */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	unsigned x = *a == '/'		 ? 1
		     : (unsigned char)*a ? (unsigned char)*a + 1U
					 : 0;
	unsigned y = *b == '/'		 ? 1
		     : (unsigned char)*b ? (unsigned char)*b + 1U
					 : 0;
	return x < y ? -1 : x > y;
}

static int compare_entries(const void *a, const void *b)
{
	return compare_paths(((const struct mkv_audit_entry *)a)->path,
			     ((const struct mkv_audit_entry *)b)->path);
}

/* `inode` is an index, which sorting changes: so old indexes are sorted first,
 * then entries and their inodes are moved in that order. */
static int compare_order(const void *a, const void *b, void *items)
{
	const struct mkv_audit_entry *e = items;
	return compare_entries(&e[*(const size_t *)a], &e[*(const size_t *)b]);
}

int mkv_audit_table_index(struct mkv_audit_table *table, struct mkv_error *err)
{
	size_t count = table->count;
	if (count == 0)
		return 0;
	auto_free size_t *order = calloc(count, sizeof(*order));
	auto_free size_t *first = calloc(count, sizeof(*first));
	struct mkv_audit_entry *sorted = calloc(count, sizeof(*sorted));
	if (!order || !first || !sorted) {
		free(sorted);
		return mkv_oom(err);
	}
	for (size_t i = 0; i < count; i++) {
		order[i] = i;
		first[i] = SIZE_MAX;
	}
	qsort_r(order, count, sizeof(*order), compare_order, table->items);
	for (size_t i = 0; i < count; i++) {
		size_t group = table->items[order[i]].inode;
		sorted[i] = table->items[order[i]];
		if (first[group] == SIZE_MAX)
			first[group] = i;
		sorted[i].inode = first[group];
	}
	free(table->items);
	table->items = sorted;
	table->capacity = count;
	for (size_t i = 1; i < count; i++)
		if (compare_entries(&sorted[i - 1], &sorted[i]) == 0)
			return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
					"'%.200s' appears twice",
					sorted[i].path);
	return 0;
}

const struct mkv_audit_entry *
mkv_audit_table_find(const struct mkv_audit_table *table, const char *path)
{
	const struct mkv_audit_entry key = {.path = (char *)(uintptr_t)path};
	return table->count ? bsearch(&key, table->items, table->count,
				      sizeof(*table->items), compare_entries)
			    : NULL;
}

static char *xattr_text(const struct mkv_listing_entry *entry)
{
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		mkv_buf_printf(&text, " %s=", entry->xattrs[i].name);
		for (size_t k = 0; k < entry->xattrs[i].size; k++)
			mkv_buf_printf(&text, "%02x",
				       entry->xattrs[i].value[k]);
	}
	return mkv_buf_take(&text);
}

/* A list is in the order of a walk: the table is sorted at each line. */
static int add_line(const struct mkv_listing_entry *line, void *context,
		    struct mkv_error *err)
{
	struct mkv_audit_table *table = context;
	struct mkv_audit_entry entry = {
		.type = line->type,
		.mode = line->mode,
		.uid = line->uid,
		.gid = line->gid,
		.mtime_s = line->mtime_s,
		.size_bytes = line->has_size ? line->size_bytes : 0,
		.major = line->has_device ? line->major : 0,
		.minor = line->has_device ? line->minor : 0,
		.inode = table->count,
	};
	if (line->has_size)
		entry.sha256 = line->sha256;
	if (line->type == 'h') {
		const struct mkv_audit_entry *to =
			mkv_audit_table_find(table, line->target);
		if (!to)
			return mkv_fail(
				err, MKV_UNVERIFIED, EBADMSG,
				"'%.200s' is a hard link to a missing entry",
				line->path);
		entry.type = to->type;
		entry.inode = to->inode;
		entry.xattrs = strdup(to->xattrs);
		entry.target = to->target ? strdup(to->target) : NULL;
	} else {
		entry.xattrs = xattr_text(line);
		entry.target = line->target ? strdup(line->target) : NULL;
	}
	entry.path = strdup(line->path);
	return mkv_audit_table_add(table, &entry, err);
}

int mkv_audit_table_from_list(const char *text, size_t size,
			      struct mkv_audit_table *ret,
			      struct mkv_error *err)
{
	auto_audit_table struct mkv_audit_table table = {0};
	int rc = mkv_listing_parse(text, size, add_line, &table, err);
	if (rc < 0)
		return rc;
	rc = mkv_audit_table_index(&table, err);
	if (rc < 0)
		return rc;
	*ret = table;
	table = (struct mkv_audit_table){0};
	return 0;
}

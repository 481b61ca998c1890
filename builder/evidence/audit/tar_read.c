/* SPDX-License-Identifier: MIT */
/* Puts the entries of a tar stream into a table. */
#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <string.h>

#include "builder/evidence/audit/table.h"
#include "builder/evidence/audit/tar_stream.h"

enum { XATTRS_MAX = 64 };

struct reader {
	struct mkv_tar_stream stream;
	struct mkv_audit_table *table;
	struct mkv_audit_capture *captures;
	size_t n_captures;
	struct mkv_progress *progress;
	/* Indexes + 1 of entries by path, for hard links: an open hash table.
	 */
	size_t *slots;
	size_t n_slots;
};

static void reader_done(struct reader *r)
{
	mkv_tar_stream_done(&r->stream);
	free(r->slots);
}

/* "./a/b/" to "/a/b", "./" to "/"; NULL for anything else. */
static char *absolute(const char *name)
{
	if (name[0] == '.' && (name[1] == '/' || name[1] == '\0'))
		name++;
	while (*name == '/')
		name++;
	size_t length = strlen(name);
	while (length && name[length - 1] == '/')
		length--;
	for (const char *at = name; at < name + length;) {
		size_t part = strcspn(at, "/");
		if (part == 0 || part > NAME_MAX ||
		    (part == 1 && at[0] == '.') ||
		    (part == 2 && at[0] == '.' && at[1] == '.'))
			return NULL;
		at += part + 1;
	}
	char *path = NULL;
	if (length >= PATH_MAX ||
	    asprintf(&path, "/%.*s", (int)length, name) < 0)
		return NULL;
	return path;
}

static size_t hash(const char *text)
{
	uint64_t h = UINT64_C(1469598103934665603);
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return (size_t)h;
}

/* The slot of a path, used or free. */
static size_t *find_slot(const struct reader *r, const char *path)
{
	size_t at = hash(path) & (r->n_slots - 1);
	while (r->slots[at] &&
	       strcmp(r->table->items[r->slots[at] - 1].path, path) != 0)
		at = (at + 1) & (r->n_slots - 1);
	return &r->slots[at];
}

static int remember_last(struct reader *r, struct mkv_error *err)
{
	size_t count = r->table->count;
	if (2 * count < r->n_slots) {
		*find_slot(r, r->table->items[count - 1].path) = count;
		return 0;
	}
	r->n_slots = r->n_slots ? 2 * r->n_slots : 4096;
	free(r->slots);
	r->slots = calloc(r->n_slots, sizeof(*r->slots));
	if (!r->slots)
		return mkv_oom(err);
	for (size_t i = 0; i < count; i++)
		*find_slot(r, r->table->items[i].path) = i + 1;
	return 0;
}

static struct mkv_audit_capture *find_capture(const struct reader *r,
					      const struct mkv_audit_entry *e)
{
	for (size_t i = 0; i < r->n_captures; i++)
		if (strcmp(r->captures[i].path, e->path) == 0)
			return r->captures[i].seen ||
					       e->size_bytes >
						       r->captures[i]
							       .limit_bytes
				       ? NULL
				       : &r->captures[i];
	return NULL;
}

/* Hashes a file's data, and keeps it where the caller captures it. The blocks
 * of a sparse file have holes between them: refused, so that the size in a
 * header never makes this function hash more than the stream holds. */
static int read_data(struct reader *r, struct mkv_audit_entry *entry,
		     struct mkv_error *err)
{
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	struct mkv_audit_capture *keep = find_capture(r, entry);
	uint64_t seen = 0;
	if (!hasher)
		return mkv_oom(err);
	for (;;) {
		const void *data;
		size_t size;
		la_int64_t offset;
		int got = archive_read_data_block(r->stream.archive, &data,
						  &size, &offset);
		if (got == ARCHIVE_EOF)
			break;
		if (got != ARCHIVE_OK)
			return mkv_tar_stream_fail(&r->stream, entry->path,
						   err);
		if ((uint64_t)offset != seen || size > entry->size_bytes - seen)
			return mkv_tar_malformed(err, entry->path,
						 "a sparse file");
		mkv_hasher_add(hasher, data, size);
		if (keep)
			mkv_buf_add(&keep->data, data, size);
		mkv_progress_advance(r->progress, size);
		seen += size;
	}
	if (seen != entry->size_bytes)
		return mkv_tar_malformed(err, entry->path,
					 "its data and its size disagree");
	if (keep)
		keep->seen = true;
	if (keep && mkv_buf_check(&keep->data, err) < 0)
		return -ENOMEM;
	return mkv_hasher_finish(hasher, &entry->sha256, err);
}

/* libarchive skips data of other entries than regular files, and other readers
 * don't. */
static int check_no_data(const struct reader *r, const char *path,
			 struct mkv_error *err)
{
	const void *data;
	size_t size;
	la_int64_t offset;
	if (archive_read_data_block(r->stream.archive, &data, &size, &offset) ==
	    ARCHIVE_EOF)
		return 0;
	return mkv_tar_malformed(err, path,
				 "has data but isn't a regular file");
}

struct xattr {
	const char *name;
	const uint8_t *value;
	size_t size;
};

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name,
		      ((const struct xattr *)b)->name);
}

/* SCHILY.xattr.NAME records: libarchive gives name and value as they are. */
static int read_xattrs(struct archive_entry *from, const char *path, char **ret,
		       struct mkv_error *err)
{
	struct xattr xattrs[XATTRS_MAX];
	size_t count = 0;
	auto_buf struct mkv_buf text = {0};
	if (archive_entry_xattr_reset(from) > XATTRS_MAX)
		return mkv_tar_malformed(err, path,
					 "too many extended attributes");
	for (const void *value; count < XATTRS_MAX; count++) {
		struct xattr *x = &xattrs[count];
		if (archive_entry_xattr_next(from, &x->name, &value,
					     &x->size) != ARCHIVE_OK)
			break;
		x->value = value;
		if (!x->name || (x->size && !value))
			return mkv_oom(err);
	}
	if (count)
		qsort(xattrs, count, sizeof(xattrs[0]), compare_xattrs);
	for (size_t i = 0; i < count; i++) {
		mkv_buf_printf(&text, " %s=", xattrs[i].name);
		for (size_t k = 0; k < xattrs[i].size; k++)
			mkv_buf_printf(&text, "%02x", xattrs[i].value[k]);
	}
	int rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	*ret = mkv_buf_take(&text);
	return *ret ? 0 : mkv_oom(err);
}

/* Owner, mode, time and device; the xattrs and the target last, since they are
 * allocated. */
static int read_inode(struct archive_entry *from, struct mkv_audit_entry *entry,
		      struct mkv_error *err)
{
	la_int64_t uid = archive_entry_uid(from), gid = archive_entry_gid(from);
	la_int64_t size = archive_entry_size(from);
	dev_t major = archive_entry_rdevmajor(from);
	dev_t minor = archive_entry_rdevminor(from);
	bool is_device = entry->type == 'c' || entry->type == 'b';
	if (uid < 0 || uid > UINT32_MAX || gid < 0 || gid > UINT32_MAX ||
	    size < 0 || size == INT64_MAX ||
	    (is_device && (major > UINT32_MAX || minor > UINT32_MAX)))
		return mkv_tar_malformed(err, entry->path,
					 "a number is out of range");
	entry->mode = archive_entry_mode(from) & 07777;
	entry->uid = (uint32_t)uid;
	entry->gid = (uint32_t)gid;
	entry->mtime_s = archive_entry_mtime(from);
	entry->has_fraction = archive_entry_mtime_nsec(from) != 0;
	entry->size_bytes = (uint64_t)size;
	entry->major = is_device ? (uint32_t)major : 0;
	entry->minor = is_device ? (uint32_t)minor : 0;
	return 0;
}

/* A further name has all that its first name has. */
static int copy_linked(const struct reader *r, struct archive_entry *from,
		       struct mkv_audit_entry *entry, struct mkv_error *err)
{
	auto_free char *path =
		absolute(mkv_tar_raw(archive_entry_hardlink(from),
				     archive_entry_hardlink_utf8(from)));
	size_t index = path && r->n_slots ? *find_slot(r, path) : 0;
	if (!index)
		return mkv_tar_malformed(err, entry->path,
					 "a hard link to a missing entry");
	int rc = check_no_data(r, entry->path, err);
	if (rc < 0)
		return rc;
	const struct mkv_audit_entry *to = &r->table->items[index - 1];
	char *own = entry->path;
	*entry = *to;
	entry->path = own;
	entry->target = to->target ? strdup(to->target) : NULL;
	entry->xattrs = strdup(to->xattrs);
	return 0;
}

static int read_own(struct reader *r, struct archive_entry *from,
		    struct mkv_audit_entry *entry, struct mkv_error *err)
{
	const char *target = mkv_tar_raw(archive_entry_symlink(from),
					 archive_entry_symlink_utf8(from));
	int rc = read_inode(from, entry, err);
	if (rc < 0)
		return rc;
	rc = entry->type == 'f' ? read_data(r, entry, err)
				: check_no_data(r, entry->path, err);
	if (rc < 0)
		return rc;
	rc = read_xattrs(from, entry->path, &entry->xattrs, err);
	if (rc < 0 || entry->type != 'l')
		return rc;
	entry->target = strdup(target ? target : "");
	if (entry->target)
		return 0;
	free(mkv_take(entry->xattrs));
	return mkv_oom(err);
}

static int read_entry(struct reader *r, struct archive_entry *from, char type,
		      struct mkv_error *err)
{
	const char *name = mkv_tar_raw(archive_entry_pathname(from),
				       archive_entry_pathname_utf8(from));
	auto_free char *path = absolute(name);
	if (!path)
		return mkv_tar_malformed(err, name, "an invalid path");
	struct mkv_audit_entry entry = {
		.type = type, .path = path, .inode = r->table->count};
	int rc = type == 'h' ? copy_linked(r, from, &entry, err)
			     : read_own(r, from, &entry, err);
	if (rc < 0)
		return rc;
	(void)mkv_take(path);
	rc = mkv_audit_table_add(r->table, &entry, err);
	return rc < 0 ? rc : remember_last(r, err);
}

static int read_entries(struct reader *r, struct mkv_error *err)
{
	struct archive_entry *entry;
	char type;
	for (;;) {
		int rc = mkv_tar_stream_next(&r->stream, &entry, &type, err);
		if (rc <= 0)
			return rc;
		rc = read_entry(r, entry, type, err);
		if (rc < 0)
			return rc;
	}
}

int mkv_audit_table_from_tar(int fd, struct mkv_audit_table *ret,
			     struct mkv_audit_capture *captures,
			     size_t n_captures, struct mkv_progress *progress,
			     struct mkv_error *err)
{
	auto_audit_table struct mkv_audit_table table = {0};
	__attribute__((cleanup(reader_done))) struct reader reader = {
		.table = &table,
		.captures = captures,
		.n_captures = n_captures,
		.progress = progress,
	};
	int rc = mkv_tar_stream_open(&reader.stream, fd, err);
	if (rc < 0)
		return rc;
	rc = read_entries(&reader, err);
	if (rc < 0)
		return rc;
	mkv_tar_stream_drain(&reader.stream);
	rc = mkv_audit_table_index(&table, err);
	if (rc < 0)
		return rc;
	*ret = table;
	table = (struct mkv_audit_table){0};
	return 0;
}

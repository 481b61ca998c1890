/* SPDX-License-Identifier: MIT */
/* Reads a tar stream through libarchive: another reader than the writers of
 * builder/format/archive, and one that many programs use. libarchive is
 * lenient where an audit must not be: this file refuses what libarchive only
 * warns about or reads as something else. */
#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/audit/table.h"

enum {
	BLOCK = 512,
	/* The headers of an entry must be in two of them; libarchive's limit of
	 * one extension header is 1 MiB. */
	CHUNK = 1024 * 1024,
	XATTRS_MAX = 64,
};

/* POSIX.1-2001, pax, ustar Interchange Format: up to the typeflag, and the
 * numbers of a device. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char typeflag, unused[172];
	char major[8], minor[8], prefix[167];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

/* A part of the stream, as it was read. */
struct chunk {
	uint64_t offset;
	size_t size;
	char *data;
};

struct reader {
	struct archive *archive;
	int fd;
	int read_code; /* errno of a failed read() */
	uint64_t offset;
	struct chunk chunks[2]; /* in turn, so that the last blocks stay */
	unsigned turn;
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
	if (r->archive)
		(void)archive_read_free(r->archive);
	free(r->chunks[0].data);
	free(r->chunks[1].data);
	free(r->slots);
}

static int malformed(struct mkv_error *err, const char *path, const char *why)
{
	return mkv_fail(err, MKV_HOST_CANNOT, EBADMSG,
			"tar stream: %s%.200s%s%s", path ? "'" : "",
			path ? path : "", path ? "': " : "", why);
}

static int fail_archive(const struct reader *r, const char *path,
			struct mkv_error *err)
{
	const char *why = archive_error_string(r->archive);
	if (r->read_code)
		return mkv_fail(err, MKV_FAILED, r->read_code,
				"tar stream: read: %m");
	if (archive_errno(r->archive) == ENOMEM)
		return mkv_oom(err);
	return malformed(err, path, why ? why : "malformed");
}

/* Chunks are whole but for the last, so that no block spans two of them. */
static la_ssize_t read_chunk(struct archive *archive, void *context,
			     const void **ret)
{
	struct reader *r = context;
	struct chunk *chunk = &r->chunks[r->turn];
	r->turn = !r->turn;
	chunk->size = 0;
	chunk->offset = r->offset;
	while (chunk->size < CHUNK) {
		ssize_t got = read(r->fd, chunk->data + chunk->size,
				   CHUNK - chunk->size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			r->read_code = errno;
			archive_set_error(archive, errno, "read");
			return ARCHIVE_FATAL;
		}
		if (got == 0)
			break;
		chunk->size += (size_t)got;
	}
	r->offset += chunk->size;
	*ret = chunk->data;
	return (la_ssize_t)chunk->size;
}

/* A block of the stream; NULL when it is no longer kept. */
static const void *find_block(const struct reader *r, la_int64_t offset)
{
	for (size_t i = 0; offset >= 0 && i < 2; i++) {
		const struct chunk *chunk = &r->chunks[i];
		if ((uint64_t)offset >= chunk->offset &&
		    (uint64_t)offset + BLOCK <= chunk->offset + chunk->size)
			return chunk->data + ((uint64_t)offset - chunk->offset);
	}
	return NULL;
}

/* libarchive takes the end of the bytes for the end of the archive: a stream
 * that was cut between two entries lacks the block of zeros. */
static int check_end(const struct reader *r, struct mkv_error *err)
{
	static const char zeros[BLOCK];
	la_int64_t at = archive_read_header_position(r->archive);
	const void *block = find_block(r, at);
	if (!block || archive_filter_bytes(r->archive, 0) <= at ||
	    memcmp(block, zeros, BLOCK) != 0)
		return malformed(err, NULL, "ends without an end marker");
	return 0;
}

/* A number of a header: octal digits, blanks and NULs, or base-256 (GNU).
 * libarchive stops at the first other byte. */
static bool is_number(const char *field, size_t size)
{
	if (field[0] & 0x80)
		return true;
	for (size_t i = 0; i < size; i++)
		if (field[i] && !strchr("01234567 ", field[i]))
			return false;
	return true;
}

static bool has_numbers(const struct header *h)
{
	bool is_device = h->typeflag == '3' || h->typeflag == '4';
	return is_number(h->mode, sizeof(h->mode)) &&
	       is_number(h->uid, sizeof(h->uid)) &&
	       is_number(h->gid, sizeof(h->gid)) &&
	       is_number(h->size, sizeof(h->size)) &&
	       is_number(h->mtime, sizeof(h->mtime)) &&
	       (!is_device || (is_number(h->major, sizeof(h->major)) &&
			       is_number(h->minor, sizeof(h->minor))));
}

/* The typeflag of the entry that libarchive has just read, after the headers
 * that extend it. libarchive reads an unknown typeflag as a regular file, skips
 * a volume's header, and interprets Solaris' access control lists; other
 * readers extract something else, so these are refused here. */
static int read_typeflag(const struct reader *r, char *ret,
			 struct mkv_error *err)
{
	la_int64_t at = archive_read_header_position(r->archive);
	la_int64_t end = archive_filter_bytes(r->archive, 0);
	while (at < end) {
		const struct header *h = find_block(r, at);
		char size[sizeof(h->size) + 1] = "";
		if (!h)
			return malformed(err, NULL,
					 "the headers of an entry are too "
					 "long");
		if (!has_numbers(h))
			return malformed(err, NULL,
					 "a header with an invalid number");
		at += BLOCK;
		if (at == end) {
			*ret = h->typeflag;
			return 0;
		}
		if (!memchr("xgLK", h->typeflag, 4))
			break;
		memcpy(size, h->size, sizeof(h->size));
		at += (strtoll(size, NULL, 8) + BLOCK - 1) / BLOCK * BLOCK;
	}
	return malformed(err, NULL, "an unknown type of header");
}

/* The type of an entry; '\0' where libarchive and the typeflag disagree, as
 * they do for a regular file whose name ends in '/': libarchive makes it a
 * directory. */
static char entry_type(struct archive_entry *entry, char flag)
{
	static const struct {
		mode_t format;
		char type, flag;
	} rows[] = {
		{S_IFREG, 'f', '0'}, {S_IFLNK, 'l', '2'}, {S_IFCHR, 'c', '3'},
		{S_IFBLK, 'b', '4'}, {S_IFDIR, 'd', '5'}, {S_IFIFO, 'p', '6'},
	};
	if (flag == '\0' || flag == '7') /* of V7; contiguous */
		flag = '0';
	if (archive_entry_hardlink(entry) || archive_entry_hardlink_utf8(entry))
		return flag == '1' ? 'h' : '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (archive_entry_filetype(entry) == rows[i].format)
			return flag == rows[i].flag ? rows[i].type : '\0';
	return '\0';
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
		int got = archive_read_data_block(r->archive, &data, &size,
						  &offset);
		if (got == ARCHIVE_EOF)
			break;
		if (got != ARCHIVE_OK)
			return fail_archive(r, entry->path, err);
		if ((uint64_t)offset != seen || size > entry->size_bytes - seen)
			return malformed(err, entry->path, "a sparse file");
		mkv_hasher_add(hasher, data, size);
		if (keep)
			mkv_buf_add(&keep->data, data, size);
		mkv_progress_advance(r->progress, size);
		seen += size;
	}
	if (seen != entry->size_bytes)
		return malformed(err, entry->path,
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
	if (archive_read_data_block(r->archive, &data, &size, &offset) ==
	    ARCHIVE_EOF)
		return 0;
	return malformed(err, path, "has data but isn't a regular file");
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
		return malformed(err, path, "too many extended attributes");
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
		return malformed(err, entry->path, "a number is out of range");
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

/* Where a name isn't valid in the locale ("C" throughout this program),
 * libarchive keeps its bytes, or else only the form in UTF-8. */
static const char *raw(const char *bytes, const char *utf8)
{
	return bytes ? bytes : utf8;
}

/* A further name has all that its first name has. */
static int copy_linked(const struct reader *r, struct archive_entry *from,
		       struct mkv_audit_entry *entry, struct mkv_error *err)
{
	auto_free char *path = absolute(raw(archive_entry_hardlink(from),
					    archive_entry_hardlink_utf8(from)));
	size_t index = path && r->n_slots ? *find_slot(r, path) : 0;
	if (!index)
		return malformed(err, entry->path,
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
	const char *target = raw(archive_entry_symlink(from),
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

static int read_entry(struct reader *r, struct archive_entry *from,
		      struct mkv_error *err)
{
	const char *name = raw(archive_entry_pathname(from),
			       archive_entry_pathname_utf8(from));
	if (!name)
		return malformed(err, NULL, "an entry without a name");
	char flag = '\0';
	int rc = read_typeflag(r, &flag, err);
	if (rc < 0)
		return rc;
	struct mkv_audit_entry entry = {.type = entry_type(from, flag),
					.inode = r->table->count};
	if (!entry.type)
		return malformed(err, name, "an unknown type of entry");
	auto_free char *path = absolute(name);
	if (!path)
		return malformed(err, name, "an invalid path");
	entry.path = path;
	rc = entry.type == 'h' ? copy_linked(r, from, &entry, err)
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
	for (;;) {
		int got = archive_read_next_header(r->archive, &entry);
		if (got == ARCHIVE_EOF)
			return check_end(r, err);
		/* The one warning that is passed over is that of a name that
		 * can't be converted to the locale's character set, whose bytes
		 * are kept: EILSEQ, libarchive's ARCHIVE_ERRNO_FILE_FORMAT on
		 * Linux. Ignored pax records have another number. */
		if (got != ARCHIVE_OK && (got != ARCHIVE_WARN ||
					  archive_errno(r->archive) != EILSEQ))
			return fail_archive(r, NULL, err);
		int rc = read_entry(r, entry, err);
		if (rc < 0)
			return rc;
	}
}

static int open_archive(struct reader *r, struct mkv_error *err)
{
	r->archive = archive_read_new();
	for (size_t i = 0; i < 2; i++)
		r->chunks[i].data = malloc(CHUNK);
	if (!r->archive || !r->chunks[0].data || !r->chunks[1].data)
		return mkv_oom(err);
	if (archive_read_support_format_tar(r->archive) != ARCHIVE_OK ||
	    archive_read_open(r->archive, r, NULL, read_chunk, NULL) !=
		    ARCHIVE_OK)
		return fail_archive(r, NULL, err);
	return 0;
}

int mkv_audit_table_from_tar(int fd, struct mkv_audit_table *ret,
			     struct mkv_audit_capture *captures,
			     size_t n_captures, struct mkv_progress *progress,
			     struct mkv_error *err)
{
	auto_audit_table struct mkv_audit_table table = {0};
	__attribute__((cleanup(reader_done))) struct reader reader = {
		.fd = fd,
		.table = &table,
		.captures = captures,
		.n_captures = n_captures,
		.progress = progress,
	};
	int rc = open_archive(&reader, err);
	if (rc < 0)
		return rc;
	rc = read_entries(&reader, err);
	if (rc < 0)
		return rc;
	/* Only padding follows the end marker: read it, so that the writer of
	 * a pipe isn't cut off. */
	while (read(fd, reader.chunks[0].data, CHUNK) > 0)
		;
	rc = mkv_audit_table_index(&table, err);
	if (rc < 0)
		return rc;
	*ret = table;
	table = (struct mkv_audit_table){0};
	return 0;
}

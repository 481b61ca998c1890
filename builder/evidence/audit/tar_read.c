/* SPDX-License-Identifier: MIT */
/* Reads tar (POSIX.1-2001 pax interchange format; GNU tar manual, "Basic Tar
 * Format", for long names and base-256 numbers). */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "builder/evidence/audit/table.h"
#include "builder/evidence/audit/tar_extension.h"

enum {
	BLOCK = 512,
	CHUNK = 256 * 1024,
	EXTENSION_MAX = 4 * 1024 * 1024, /* of a pax header or a long name */
};

struct reader {
	int fd;
	struct mkv_audit_table *table;
	struct mkv_audit_capture *captures;
	size_t n_captures;
	struct mkv_progress *progress;
	struct mkv_tar_extension next;
	char *chunk;
	/* Paths of regular files and others by their index, for hard links:
	 * an open hash table of indexes + 1. */
	size_t *slots;
	size_t n_slots;
};

static void reader_done(struct reader *r)
{
	mkv_tar_extension_done(&r->next);
	free(r->chunk);
	free(r->slots);
}

static int malformed(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_HOST_CANNOT, EBADMSG, "tar stream: %s", what);
}

/* 0 at the end of the stream when `may_end`, else `size`. */
static int read_full(int fd, void *into, size_t size, bool may_end,
		     struct mkv_error *err)
{
	size_t have = 0;
	while (have < size) {
		ssize_t got = read(fd, (char *)into + have, size - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"tar stream: read: %m");
		if (got == 0)
			break;
		have += (size_t)got;
	}
	if (have == 0 && may_end)
		return 0;
	return have == size ? 1 : malformed(err, "it ends early");
}

/* The data of an extension header, with a NUL behind it. */
static int read_extension(struct reader *r, uint64_t size, char **ret,
			  struct mkv_error *err)
{
	if (size > EXTENSION_MAX)
		return malformed(err, "a header is too long");
	size_t padded = ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
	auto_free char *data = calloc(1, padded + 1);
	if (!data)
		return mkv_oom(err);
	int rc = padded ? read_full(r->fd, data, padded, false, err) : 1;
	if (rc < 0)
		return rc;
	data[size] = '\0';
	*ret = mkv_take(data);
	return 0;
}

static int take_extension(struct reader *r, char type, uint64_t size,
			  struct mkv_error *err)
{
	auto_free char *data = NULL;
	int rc = read_extension(r, size, &data, err);
	if (rc < 0)
		return rc;
	if (type == 'x' &&
	    !mkv_tar_extension_read(&r->next, data, (size_t)size))
		return malformed(err, "a pax header can't be read");
	if (type == 'L') {
		free(r->next.path);
		r->next.path = mkv_take(data);
	} else if (type == 'K') {
		free(r->next.target);
		r->next.target = mkv_take(data);
	}
	return 0;
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

/* The slot of a path: where it is or where it would go. */
static size_t *slot(const struct reader *r, const char *path)
{
	size_t at = hash(path) & (r->n_slots - 1);
	while (r->slots[at] &&
	       strcmp(r->table->items[r->slots[at] - 1].path, path) != 0)
		at = (at + 1) & (r->n_slots - 1);
	return &r->slots[at];
}

static int remember(struct reader *r, struct mkv_error *err)
{
	size_t count = r->table->count;
	if (2 * count >= r->n_slots) {
		r->n_slots = r->n_slots ? 2 * r->n_slots : 4096;
		free(r->slots);
		r->slots = calloc(r->n_slots, sizeof(*r->slots));
		if (!r->slots)
			return mkv_oom(err);
		for (size_t i = 0; i < count; i++)
			*slot(r, r->table->items[i].path) = i + 1;
		return 0;
	}
	*slot(r, r->table->items[count - 1].path) = count;
	return 0;
}

/* Hashes a file's data, and keeps it where it was asked for. */
static int read_data(struct reader *r, struct mkv_audit_entry *entry,
		     struct mkv_error *err)
{
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	struct mkv_audit_capture *keep = NULL;
	if (!hasher)
		return mkv_oom(err);
	for (size_t i = 0; i < r->n_captures; i++)
		if (strcmp(r->captures[i].path, entry->path) == 0)
			keep = &r->captures[i];
	if (keep && (keep->seen || entry->size_bytes > keep->limit_bytes))
		keep = NULL;
	uint64_t left = entry->size_bytes;
	while (left > 0) {
		size_t want = left < CHUNK ? (size_t)left : CHUNK;
		size_t padded = (want + BLOCK - 1) / BLOCK * BLOCK;
		int rc = read_full(r->fd, r->chunk, padded, false, err);
		if (rc < 0)
			return rc;
		mkv_hasher_add(hasher, r->chunk, want);
		if (keep)
			mkv_buf_add(&keep->data, r->chunk, want);
		mkv_progress_advance(r->progress, want);
		left -= want;
	}
	if (keep)
		keep->seen = true;
	if (keep && mkv_buf_check(&keep->data, err) < 0)
		return -ENOMEM;
	return mkv_hasher_finish(hasher, &entry->sha256, err);
}

/* Fields of a ustar header. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type, link[100], magic[6], version[2], uname[32], gname[32];
	char major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

static bool checksum_holds(const struct header *h)
{
	const uint8_t *bytes = (const uint8_t *)h;
	int64_t sum = 8 * ' ', said;
	for (size_t i = 0; i < BLOCK; i++)
		if (i < offsetof(struct header, sum) ||
		    i >= offsetof(struct header, type))
			sum += bytes[i];
	return mkv_tar_number(h->sum, sizeof(h->sum), &said) && said == sum;
}

static char *header_name(const struct header *h)
{
	char *name = NULL;
	bool ustar = memcmp(h->magic, "ustar\0", 6) == 0 && h->prefix[0];
	if (asprintf(&name, "%.*s%s%.100s", ustar ? 155 : 0, h->prefix,
		     ustar ? "/" : "", h->name) < 0)
		return NULL;
	return name;
}

static char type_of(char type)
{
	switch (type) {
	case '0':
	case '\0':
	case '7':
		return 'f';
	case '1':
		return 'h';
	case '2':
		return 'l';
	case '3':
		return 'c';
	case '4':
		return 'b';
	case '5':
		return 'd';
	case '6':
		return 'p';
	default:
		return '\0';
	}
}

/* The inode's members; -EBADMSG when a number can't be. */
static int fill(const struct header *h, const struct mkv_tar_extension *x,
		struct mkv_audit_entry *entry, struct mkv_error *err)
{
	int64_t mode, uid, gid, mtime, size, major = 0, minor = 0;
	if (!mkv_tar_number(h->mode, sizeof(h->mode), &mode) ||
	    !mkv_tar_number(h->uid, sizeof(h->uid), &uid) ||
	    !mkv_tar_number(h->gid, sizeof(h->gid), &gid) ||
	    !mkv_tar_number(h->size, sizeof(h->size), &size) ||
	    !mkv_tar_number(h->mtime, sizeof(h->mtime), &mtime))
		return malformed(err, "a number can't be read");
	if ((entry->type == 'c' || entry->type == 'b') &&
	    (!mkv_tar_number(h->major, sizeof(h->major), &major) ||
	     !mkv_tar_number(h->minor, sizeof(h->minor), &minor)))
		return malformed(err, "a device can't be read");
	uint64_t wide_uid = x->has_uid ? x->uid : (uint64_t)uid;
	uint64_t wide_gid = x->has_gid ? x->gid : (uint64_t)gid;
	uint64_t wide_size = x->has_size ? x->size : (uint64_t)size;
	if (wide_uid > UINT32_MAX || wide_gid > UINT32_MAX ||
	    wide_size > INT64_MAX || mode < 0 || mode > 07777777 || major < 0 ||
	    minor < 0 || major > UINT32_MAX || minor > UINT32_MAX)
		return malformed(err, "a number is out of range");
	entry->mode = (unsigned)mode & 07777;
	entry->uid = (uint32_t)wide_uid;
	entry->gid = (uint32_t)wide_gid;
	entry->mtime_s = x->has_mtime ? x->mtime_s : mtime;
	entry->has_fraction = x->has_mtime && x->has_fraction;
	entry->size_bytes = entry->type == 'f' ? wide_size : 0;
	entry->major = (uint32_t)major;
	entry->minor = (uint32_t)minor;
	return 0;
}

/* A further name takes over what its first name said. */
static int take_link(const struct reader *r, const char *target,
		     struct mkv_audit_entry *entry, struct mkv_error *err)
{
	auto_free char *path = absolute(target);
	size_t index = path && r->n_slots ? *slot(r, path) : 0;
	if (!index)
		return malformed(err, "a hard link leads nowhere");
	const struct mkv_audit_entry *to = &r->table->items[index - 1];
	char *own = entry->path;
	*entry = *to;
	entry->path = own;
	entry->target = to->target ? strdup(to->target) : NULL;
	entry->xattrs = strdup(to->xattrs);
	return 0;
}

static int take_entry(struct reader *r, const struct header *h, char type,
		      struct mkv_error *err)
{
	auto_free char *name =
		r->next.path ? strdup(r->next.path) : header_name(h);
	auto_free char *target =
		r->next.target ? strdup(r->next.target) : strndup(h->link, 100);
	if (!name || !target)
		return mkv_oom(err);
	struct mkv_audit_entry entry = {.type = type, .inode = r->table->count};
	auto_free char *path = absolute(name);
	if (!path)
		return malformed(err, "a path can't be");
	entry.path = path;
	int rc = type == 'h' ? take_link(r, target, &entry, err)
			     : fill(h, &r->next, &entry, err);
	if (rc == 0 && type == 'f')
		rc = read_data(r, &entry, err);
	if (rc < 0)
		return rc;
	if (type != 'h') {
		entry.xattrs = mkv_tar_extension_xattrs(&r->next);
		entry.target = type == 'l' ? mkv_take(target) : NULL;
	}
	(void)mkv_take(path);
	rc = mkv_audit_table_add(r->table, &entry, err);
	return rc < 0 ? rc : remember(r, err);
}

/* One header and what belongs to it. 0 at the end. */
static int step(struct reader *r, struct mkv_error *err)
{
	struct header h;
	int64_t size;
	int rc = read_full(r->fd, &h, sizeof(h), true, err);
	if (rc <= 0)
		return rc < 0 ? rc : malformed(err, "it has no end");
	if (h.name[0] == '\0' && h.sum[0] == '\0')
		return 0;
	if (!checksum_holds(&h) ||
	    !mkv_tar_number(h.size, sizeof(h.size), &size) || size < 0)
		return malformed(err, "a header's checksum doesn't hold");
	if (h.type == 'x' || h.type == 'g' || h.type == 'L' || h.type == 'K') {
		rc = take_extension(r, h.type, (uint64_t)size, err);
		return rc < 0 ? rc : 1;
	}
	char type = type_of(h.type);
	if (!type)
		return malformed(err, "an entry of an unknown type");
	rc = take_entry(r, &h, type, err);
	mkv_tar_extension_done(&r->next);
	return rc < 0 ? rc : 1;
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
		.chunk = malloc(CHUNK),
	};
	if (!reader.chunk)
		return mkv_oom(err);
	int rc;
	while ((rc = step(&reader, err)) > 0)
		;
	/* Behind the end only padding follows; the writer must not be cut off.
	 */
	while (rc == 0 && read(fd, reader.chunk, CHUNK) > 0)
		;
	if (rc == 0)
		rc = mkv_audit_table_index(&table, err);
	if (rc < 0)
		return rc;
	*ret = table;
	table = (struct mkv_audit_table){0};
	return 0;
}

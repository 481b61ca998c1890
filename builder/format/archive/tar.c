/* SPDX-License-Identifier: MIT */
#include "builder/format/archive/tar.h"

#include <inttypes.h>
#include <string.h>

#include "lib/grow.h"
#include "lib/io.h"

enum { BLOCK = 512, CHUNK = 1 << 20 };

/* IEEE Std 1003.1, pax, "ustar Interchange Format". */
struct ustar {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char type;
	char linkname[100];
	char magic[6], version[2];
	char uname[32], gname[32];
	char major[8], minor[8];
	char prefix[155];
	char padding[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a header is a block");

struct archive {
	mkv_tar_sink *sink;
	void *context;
	char *chunk;	/* CHUNK bytes, of which the first `pending` */
	size_t pending; /* are not yet passed to the sink */
	/* First names of inodes with several names; an inode's mark is its
	 * index here plus 1. */
	char **first_names;
	size_t n_first_names;
	struct mkv_buf name, records, data;
};

static void archive_done(struct archive *archive)
{
	for (size_t i = 0; i < archive->n_first_names; i++)
		free(archive->first_names[i]);
	free(archive->first_names);
	free(archive->chunk);
	mkv_buf_done(&archive->name);
	mkv_buf_done(&archive->records);
	mkv_buf_done(&archive->data);
}

static int flush_chunk(struct archive *archive, struct mkv_error *err)
{
	size_t size = archive->pending;
	archive->pending = 0;
	return size ? archive->sink(archive->context, archive->chunk, size, err)
		    : 0;
}

/* Makes free space in the chunk: *ret is at least 1 and at most `wanted` bytes.
 */
static int make_space(struct archive *archive, uint64_t wanted, size_t *ret,
		      struct mkv_error *err)
{
	int rc = archive->pending == CHUNK ? flush_chunk(archive, err) : 0;
	if (rc < 0)
		return rc;
	size_t space = CHUNK - archive->pending;
	*ret = wanted < space ? (size_t)wanted : space;
	return 0;
}

static int put_bytes(struct archive *archive, const void *data, size_t size,
		     struct mkv_error *err)
{
	const char *at = data;
	while (size > 0) {
		size_t space;
		int rc = make_space(archive, size, &space, err);
		if (rc < 0)
			return rc;
		memcpy(archive->chunk + archive->pending, at, space);
		archive->pending += space;
		at += space;
		size -= space;
	}
	return 0;
}

/* Writes zeros up to the next block. */
static int pad_block(struct archive *archive, uint64_t size,
		     struct mkv_error *err)
{
	static const char zeros[BLOCK];
	return put_bytes(archive, zeros, (size_t)(-size % BLOCK), err);
}

static int put_content(struct archive *archive,
		       const struct mkv_content *content, struct mkv_error *err)
{
	uint64_t size = mkv_content_size(content);
	for (uint64_t at = 0; at < size;) {
		size_t space;
		int rc = make_space(archive, size - at, &space, err);
		if (rc < 0)
			return rc;
		rc = mkv_content_read(content, at,
				      archive->chunk + archive->pending, space,
				      err);
		if (rc < 0)
			return rc;
		archive->pending += space;
		at += space;
	}
	return pad_block(archive, size, err);
}

/* Octal with leading zeros and a NUL; false when the value doesn't fit. */
static bool set_octal(char *field, size_t size, uint64_t value)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
	return value == 0;
}

/* Adds a record "LENGTH KEY=VALUE\n"; LENGTH includes its own digits. */
static void add_record(struct mkv_buf *records, const char *key,
		       const void *value, size_t size)
{
	size_t rest = 1 + strlen(key) + 1 + size + 1;
	size_t length = rest + 1, digits = 1;
	for (size_t limit = 10; length >= limit; limit *= 10)
		length = rest + ++digits;
	mkv_buf_printf(records, "%zu %s=", length, key);
	mkv_buf_add(records, value, size);
	mkv_buf_char(records, '\n');
}

static void add_number(struct mkv_buf *records, const char *key, int64_t value)
{
	char text[32];
	int size = snprintf(text, sizeof(text), "%" PRId64, value);
	add_record(records, key, text, (size_t)size);
}

/* Writes a number into its field, or into a record when it doesn't fit. */
static void set_number(struct archive *archive, char *field, size_t size,
		       const char *key, int64_t value)
{
	if (value >= 0 && set_octal(field, size, (uint64_t)value))
		return;
	(void)set_octal(field, size, 0);
	add_number(&archive->records, key, value);
}

/* Splits a path into name and prefix, or adds a record when it doesn't fit. */
static void set_path(struct archive *archive, struct ustar *header,
		     const char *path)
{
	size_t length = strlen(path);
	if (length <= sizeof(header->name)) {
		memcpy(header->name, path, length);
		return;
	}
	/* The prefix ends before a slash that is not the last byte. */
	size_t first = length - sizeof(header->name) - 1;
	for (size_t at = first; at + 1 < length && at <= sizeof(header->prefix);
	     at++) {
		if (path[at] != '/' || at == 0)
			continue;
		memcpy(header->prefix, path, at);
		memcpy(header->name, path + at + 1, length - at - 1);
		return;
	}
	memcpy(header->name, path, sizeof(header->name));
	add_record(&archive->records, "path", path, length);
}

static void set_linkname(struct archive *archive, struct ustar *header,
			 const char *target)
{
	size_t length = strlen(target);
	size_t fits = sizeof(header->linkname);
	memcpy(header->linkname, target, length < fits ? length : fits);
	if (length > fits)
		add_record(&archive->records, "linkpath", target, length);
}

static int put_header(struct archive *archive, struct ustar *header,
		      struct mkv_error *err)
{
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	memset(header->checksum, ' ', sizeof(header->checksum));
	unsigned sum = 0;
	const unsigned char *bytes = (const unsigned char *)header;
	for (size_t i = 0; i < BLOCK; i++)
		sum += bytes[i];
	(void)set_octal(header->checksum, 7, sum);
	return put_bytes(archive, header, sizeof(*header), err);
}

/* Writes the extended header of the following entry, if it has records. */
static int put_records(struct archive *archive, struct mkv_error *err)
{
	const struct mkv_buf *records = &archive->records;
	int rc = mkv_buf_check(records, err);
	if (rc < 0 || !records->size)
		return rc;
	struct ustar header = {.name = "PaxHeaders/entry", .type = 'x'};
	(void)set_octal(header.mode, sizeof(header.mode), 0644);
	(void)set_octal(header.uid, sizeof(header.uid), 0);
	(void)set_octal(header.gid, sizeof(header.gid), 0);
	(void)set_octal(header.mtime, sizeof(header.mtime), 0);
	(void)set_octal(header.major, sizeof(header.major), 0);
	(void)set_octal(header.minor, sizeof(header.minor), 0);
	if (!set_octal(header.size, sizeof(header.size), records->size))
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"extended attributes too large for tar");
	rc = put_header(archive, &header, err);
	if (rc < 0)
		return rc;
	rc = put_bytes(archive, records->data, records->size, err);
	return rc < 0 ? rc : pad_block(archive, records->size, err);
}

static char type_of(const struct mkv_inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '\0';
	}
}

/* Converts "/usr/bin" to "usr/bin/", the root to "./". */
static int set_name(struct archive *archive, const char *path,
		    bool is_directory, struct mkv_error *err)
{
	archive->name.size = 0;
	mkv_buf_str(&archive->name, path[1] ? path + 1 : ".");
	if (is_directory)
		mkv_buf_char(&archive->name, '/');
	return mkv_buf_check(&archive->name, err);
}

static int remember_first_name(struct archive *archive, struct mkv_inode *inode,
			       struct mkv_error *err)
{
	char **first_name =
		mkv_grow(&archive->first_names, &archive->n_first_names);
	if (!first_name)
		return mkv_oom(err);
	*first_name = strdup(archive->name.data);
	inode->mark = archive->n_first_names;
	return *first_name ? 0 : mkv_oom(err);
}

static void add_xattrs(struct archive *archive, const struct mkv_inode *inode)
{
	for (size_t i = 0; i < inode->n_xattrs; i++) {
		const struct mkv_xattr *xattr = &inode->xattrs[i];
		archive->data.size = 0;
		mkv_buf_printf(&archive->data, "SCHILY.xattr.%s", xattr->name);
		if (!archive->data.failed)
			add_record(&archive->records, archive->data.data,
				   xattr->value, xattr->size);
	}
}

/* Sets all fields of an entry's header except the checksum, and its records. */
static void fill_header(struct archive *archive, const struct mkv_inode *inode,
			struct ustar *header)
{
	archive->records.size = 0;
	set_path(archive, header, archive->name.data);
	(void)set_octal(header->mode, sizeof(header->mode),
			inode->mode & 07777);
	set_number(archive, header->uid, sizeof(header->uid), "uid",
		   inode->uid);
	set_number(archive, header->gid, sizeof(header->gid), "gid",
		   inode->gid);
	bool has_data = header->type == '0';
	set_number(archive, header->size, sizeof(header->size), "size",
		   has_data ? (int64_t)mkv_content_size(inode->content) : 0);
	set_number(archive, header->mtime, sizeof(header->mtime), "mtime",
		   inode->mtime_s);
	(void)set_octal(header->major, sizeof(header->major), inode->major);
	(void)set_octal(header->minor, sizeof(header->minor), inode->minor);
	if (header->type == '1') {
		set_linkname(archive, header,
			     archive->first_names[inode->mark - 1]);
		return;
	}
	if (inode->target)
		set_linkname(archive, header, inode->target);
	add_xattrs(archive, inode);
}

static int put_inode(struct archive *archive, struct mkv_inode *inode,
		     struct ustar *header, struct mkv_error *err)
{
	int rc = mkv_buf_check(&archive->data, err);
	if (rc < 0)
		return rc;
	rc = put_records(archive, err);
	if (rc < 0)
		return rc;
	rc = put_header(archive, header, err);
	if (rc < 0)
		return rc;
	rc = header->type == '0' ? put_content(archive, inode->content, err)
				 : 0;
	if (rc < 0)
		return rc;
	bool is_first = header->type != '1' && inode->entries > 1;
	return is_first ? remember_first_name(archive, inode, err) : 0;
}

static int put_entry(const char *path, struct mkv_inode *inode, void *context,
		     struct mkv_error *err)
{
	struct archive *archive = context;
	struct ustar header = {.type = inode->mark ? '1' : type_of(inode)};
	if (!header.type || inode->major > 07777777 || inode->minor > 07777777)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s': tar can't represent mode %o, "
				"device %u:%u",
				path, inode->mode, inode->major, inode->minor);
	int rc = set_name(archive, path, inode->children != NULL, err);
	if (rc < 0)
		return rc;
	fill_header(archive, inode, &header);
	rc = put_inode(archive, inode, &header, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path) : 0;
}

int mkv_tar_stream(const struct mkv_tree *tree, mkv_tar_sink *sink,
		   void *context, struct mkv_error *err)
{
	static const char end[2 * BLOCK];
	__attribute__((cleanup(archive_done))) struct archive archive = {
		.sink = sink, .context = context, .chunk = malloc(CHUNK)};
	if (!archive.chunk)
		return mkv_oom(err);
	mkv_tree_clear_marks(tree);
	int rc = mkv_tree_walk(tree, put_entry, &archive, err);
	if (rc < 0)
		return rc;
	rc = put_bytes(&archive, end, sizeof(end), err);
	return rc < 0 ? rc : flush_chunk(&archive, err);
}

static int write_piece(void *context, const void *data, size_t size,
		       struct mkv_error *err)
{
	return mkv_write_all(*(const int *)context, data, size, err);
}

int mkv_tar_write(const struct mkv_tree *tree, int fd, struct mkv_error *err)
{
	return mkv_tar_stream(tree, write_piece, &fd, err);
}

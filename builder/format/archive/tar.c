/* SPDX-License-Identifier: MIT */
#include "builder/format/archive/tar.h"

#include <inttypes.h>
#include <string.h>

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
	char *chunk; /* what waits for the sink */
	size_t waiting;
	char **firsts; /* first names of inodes with several; an inode's mark is
			  its index here plus 1 */
	size_t n_firsts;
	struct mkv_buf name, records, data;
};

static void archive_done(struct archive *archive)
{
	for (size_t i = 0; i < archive->n_firsts; i++)
		free(archive->firsts[i]);
	free(archive->firsts);
	free(archive->chunk);
	mkv_buf_done(&archive->name);
	mkv_buf_done(&archive->records);
	mkv_buf_done(&archive->data);
}

static int flush(struct archive *archive, struct mkv_error *err)
{
	size_t size = archive->waiting;
	archive->waiting = 0;
	return size ? archive->sink(archive->context, archive->chunk, size, err)
		    : 0;
}

/* Room for up to `want` bytes; never none. */
static int make_room(struct archive *archive, uint64_t want, size_t *ret,
		     struct mkv_error *err)
{
	int rc = archive->waiting == CHUNK ? flush(archive, err) : 0;
	size_t room = CHUNK - archive->waiting;
	*ret = want < room ? (size_t)want : room;
	return rc;
}

static int put(struct archive *archive, const void *data, size_t size,
	       struct mkv_error *err)
{
	const char *at = data;
	while (size > 0) {
		size_t room;
		int rc = make_room(archive, size, &room, err);
		if (rc < 0)
			return rc;
		memcpy(archive->chunk + archive->waiting, at, room);
		archive->waiting += room;
		at += room;
		size -= room;
	}
	return 0;
}

/* Zeros up to the next block. */
static int pad(struct archive *archive, uint64_t size, struct mkv_error *err)
{
	static const char zeros[BLOCK];
	return put(archive, zeros, (size_t)(-size % BLOCK), err);
}

static int put_content(struct archive *archive,
		       const struct mkv_content *content, struct mkv_error *err)
{
	uint64_t size = mkv_content_size(content);
	for (uint64_t at = 0; at < size;) {
		size_t room;
		int rc = make_room(archive, size - at, &room, err);
		if (rc == 0)
			rc = mkv_content_read(content, at,
					      archive->chunk + archive->waiting,
					      room, err);
		if (rc < 0)
			return rc;
		archive->waiting += room;
		at += room;
	}
	return pad(archive, size, err);
}

/* Octal with leading zeros and a NUL; false when it doesn't fit. */
static bool set_octal(char *field, size_t size, uint64_t value)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
	return value == 0;
}

/* A record "LENGTH KEY=VALUE\n"; LENGTH counts its own digits. */
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

/* A number into its field, or into a record where it doesn't fit. */
static void set_number(struct archive *archive, char *field, size_t size,
		       const char *key, int64_t value)
{
	if (value >= 0 && set_octal(field, size, (uint64_t)value))
		return;
	(void)set_octal(field, size, 0);
	add_number(&archive->records, key, value);
}

/* A path into name and prefix, or into a record. */
static void set_path(struct archive *archive, struct ustar *header,
		     const char *path)
{
	size_t length = strlen(path);
	if (length <= sizeof(header->name)) {
		memcpy(header->name, path, length);
		return;
	}
	/* The prefix ends before a slash that isn't the last byte. */
	size_t least = length - sizeof(header->name) - 1;
	for (size_t at = least; at + 1 < length && at <= sizeof(header->prefix);
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
	return put(archive, header, sizeof(*header), err);
}

/* The extended header, where there are records for the entry that follows. */
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
				"attributes too large for tar");
	rc = put_header(archive, &header, err);
	if (rc == 0)
		rc = put(archive, records->data, records->size, err);
	return rc < 0 ? rc : pad(archive, records->size, err);
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

/* "/usr/bin" as "usr/bin/", the root as "./". */
static int set_name(struct archive *archive, const char *path, bool is_folder,
		    struct mkv_error *err)
{
	archive->name.size = 0;
	mkv_buf_str(&archive->name, path[1] ? path + 1 : ".");
	if (is_folder)
		mkv_buf_char(&archive->name, '/');
	return mkv_buf_check(&archive->name, err);
}

static int remember(struct archive *archive, struct mkv_inode *inode,
		    struct mkv_error *err)
{
	char **grown = reallocarray(archive->firsts, archive->n_firsts + 1,
				    sizeof(*grown));
	if (!grown)
		return mkv_oom(err);
	archive->firsts = grown;
	grown[archive->n_firsts] = strdup(archive->name.data);
	if (!grown[archive->n_firsts])
		return mkv_oom(err);
	inode->mark = ++archive->n_firsts;
	return 0;
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

/* Everything of an entry's header but its checksum, and its records. */
static void describe(struct archive *archive, const struct mkv_inode *inode,
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
		set_linkname(archive, header, archive->firsts[inode->mark - 1]);
		return;
	}
	if (inode->target)
		set_linkname(archive, header, inode->target);
	add_xattrs(archive, inode);
}

static int put_entry(const char *path, struct mkv_inode *inode, void *context,
		     struct mkv_error *err)
{
	struct archive *archive = context;
	struct ustar header = {.type = inode->mark ? '1' : type_of(inode)};
	if (!header.type || inode->major > 07777777 || inode->minor > 07777777)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s': tar can't hold mode %o, device %u:%u",
				path, inode->mode, inode->major, inode->minor);
	int rc = set_name(archive, path, inode->children != NULL, err);
	if (rc < 0)
		return rc;
	describe(archive, inode, &header);
	rc = mkv_buf_check(&archive->data, err);
	if (rc == 0)
		rc = put_records(archive, err);
	if (rc == 0)
		rc = put_header(archive, &header, err);
	if (rc == 0 && header.type == '0')
		rc = put_content(archive, inode->content, err);
	if (rc == 0 && header.type != '1' && inode->entries > 1)
		rc = remember(archive, inode, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path) : 0;
}

static int clear_mark(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	(void)path, (void)context, (void)err;
	inode->mark = 0;
	return 0;
}

int mkv_tar_stream(const struct mkv_tree *tree, mkv_tar_sink *sink,
		   void *context, struct mkv_error *err)
{
	static const char end[2 * BLOCK];
	__attribute__((cleanup(archive_done))) struct archive archive = {
		.sink = sink, .context = context, .chunk = malloc(CHUNK)};
	if (!archive.chunk)
		return mkv_oom(err);
	int rc = mkv_tree_walk(tree, clear_mark, NULL, err);
	if (rc == 0)
		rc = mkv_tree_walk(tree, put_entry, &archive, err);
	if (rc == 0)
		rc = put(&archive, end, sizeof(end), err);
	return rc < 0 ? rc : flush(&archive, err);
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

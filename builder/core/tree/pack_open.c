/* SPDX-License-Identifier: MIT */
#include "builder/core/tree/pack.h"

#include <string.h>

#include "builder/core/tree/pack_format.h"
#include "lib/io.h"

/* What is left of the index. Reading past its end yields zeros and remembers.
 */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool is_short;
};

struct reader {
	struct cursor cursor;
	struct mkv_source *source;
	struct mkv_content **contents;
	uint32_t n_contents;
	struct mkv_inode **inodes; /* by number of the entry; borrowed */
	uint32_t n_entries;
	char path[4096];
	size_t path_length;
	struct mkv_tree *tree;
};

static int corrupt(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "damaged pack: %s", what);
}

static const uint8_t *take(struct cursor *cursor, size_t size)
{
	if (size > cursor->left) {
		cursor->is_short = true;
		cursor->left = 0;
		return NULL;
	}
	const uint8_t *taken = cursor->at;
	cursor->at += size;
	cursor->left -= size;
	return taken;
}

static uint64_t take_number(struct cursor *cursor, size_t size)
{
	const uint8_t *bytes = take(cursor, size);
	uint64_t value = 0;
	for (size_t i = size; bytes && i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

static uint16_t take16(struct cursor *cursor)
{
	return (uint16_t)take_number(cursor, 2);
}

static uint32_t take32(struct cursor *cursor)
{
	return (uint32_t)take_number(cursor, 4);
}

static uint64_t take64(struct cursor *cursor)
{
	return take_number(cursor, 8);
}

/* A copy with a NUL; NULL with *err set when a NUL is inside or none left. */
static char *take_string(struct cursor *cursor, size_t length,
			 struct mkv_error *err)
{
	const uint8_t *bytes = take(cursor, length);
	if (!bytes || length == 0 || memchr(bytes, '\0', length)) {
		(void)corrupt(err, "a string");
		return NULL;
	}
	char *copy = strndup((const char *)bytes, length);
	if (!copy)
		(void)mkv_oom(err);
	return copy;
}

static int read_footer(int fd, uint64_t size, uint64_t *ret_offset,
		       size_t *ret_size, struct mkv_sha256 *ret_digest,
		       struct mkv_error *err)
{
	uint8_t header[MKV_PACK_HEADER_SIZE], footer[MKV_PACK_FOOTER_SIZE];
	if (size < sizeof(header) + sizeof(footer))
		return corrupt(err, "too short");
	int rc = mkv_pread_all(fd, header, sizeof(header), 0, err);
	if (rc == 0)
		rc = mkv_pread_all(fd, footer, sizeof(footer),
				   size - sizeof(footer), err);
	if (rc < 0)
		return rc;
	struct cursor head = {header + 8, 8, false};
	struct cursor foot = {footer + 8, sizeof(footer) - 8, false};
	if (memcmp(header, MKV_PACK_MAGIC, 8) != 0 ||
	    memcmp(footer, MKV_PACK_END_MAGIC, 8) != 0)
		return corrupt(err, "no magic");
	if (take32(&head) != MKV_PACK_VERSION || take32(&head) != 0 ||
	    take32(&foot) != MKV_PACK_VERSION || take32(&foot) != 0)
		return corrupt(err, "a version that is not known");
	uint64_t offset = take64(&foot), length = take64(&foot), end;
	if (offset < sizeof(header) || length > MKV_PACK_INDEX_MAX ||
	    __builtin_add_overflow(offset, length, &end) ||
	    end != size - sizeof(footer))
		return corrupt(err, "the index's place");
	memcpy(ret_digest->bytes, foot.at, MKV_SHA256_SIZE);
	*ret_offset = offset;
	*ret_size = (size_t)length;
	return 0;
}

static int read_contents(struct reader *reader, uint64_t end,
			 struct mkv_error *err)
{
	struct cursor *cursor = &reader->cursor;
	uint32_t count = take32(cursor);
	if (cursor->is_short || count > cursor->left / (8 + MKV_SHA256_SIZE))
		return corrupt(err, "the number of contents");
	reader->contents = calloc(count ? count : 1, sizeof(*reader->contents));
	if (!reader->contents)
		return mkv_oom(err);
	uint64_t offset = MKV_PACK_HEADER_SIZE;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t size = take64(cursor);
		const uint8_t *digest = take(cursor, MKV_SHA256_SIZE);
		struct mkv_sha256 sha256;
		if (!digest || size > end - offset)
			return corrupt(err, "a content's size");
		memcpy(sha256.bytes, digest, sizeof(sha256.bytes));
		reader->contents[i] = mkv_content_range(reader->source, offset,
							size, &sha256);
		if (!reader->contents[i])
			return mkv_oom(err);
		reader->n_contents++;
		offset += size;
	}
	return offset == end ? 0 : corrupt(err, "bytes that belong to nothing");
}

static int read_path(struct reader *reader, struct mkv_error *err)
{
	struct cursor *cursor = &reader->cursor;
	size_t shared = take16(cursor), more = take16(cursor);
	if (shared > reader->path_length ||
	    more >= sizeof(reader->path) - shared || more == 0)
		return corrupt(err, "a path's length");
	const uint8_t *bytes = take(cursor, more);
	if (!bytes || memchr(bytes, '\0', more))
		return corrupt(err, "a path");
	memcpy(reader->path + shared, bytes, more);
	reader->path_length = shared + more;
	reader->path[reader->path_length] = '\0';
	return 0;
}

static int read_xattrs(struct cursor *cursor, struct mkv_inode *inode,
		       struct mkv_error *err)
{
	size_t count = take16(cursor);
	for (size_t i = 0; i < count; i++) {
		size_t length = take16(cursor);
		auto_free char *name = take_string(cursor, length, err);
		if (!name)
			return -err->code;
		if (length > 255 ||
		    (i > 0 && strcmp(inode->xattrs[i - 1].name, name) >= 0))
			return corrupt(err, "an attribute's name");
		size_t size = take32(cursor);
		const uint8_t *value = take(cursor, size);
		if (!value || size > MKV_PACK_XATTR_MAX)
			return corrupt(err, "an attribute's size");
		int rc = mkv_inode_set_xattr(inode, name, value, size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_body(struct reader *reader, struct mkv_inode *inode,
		     struct mkv_error *err)
{
	struct cursor *cursor = &reader->cursor;
	switch (inode->mode & S_IFMT) {
	case S_IFREG: {
		uint32_t number = take32(cursor);
		if (number >= reader->n_contents)
			return corrupt(err, "a content's number");
		inode->content = mkv_content_ref(reader->contents[number]);
		return 0;
	}
	case S_IFLNK: {
		size_t length = take16(cursor);
		if (length > 4095)
			return corrupt(err, "a link's length");
		inode->target = take_string(cursor, length, err);
		return inode->target ? 0 : -err->code;
	}
	case S_IFCHR:
	case S_IFBLK:
		inode->major = take32(cursor);
		inode->minor = take32(cursor);
		return 0;
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	default:
		return corrupt(err, "a file type");
	}
}

static int read_inode(struct reader *reader, struct mkv_inode **ret,
		      struct mkv_error *err)
{
	struct cursor *cursor = &reader->cursor;
	uint32_t mode = take32(cursor), uid = take32(cursor),
		 gid = take32(cursor);
	int64_t mtime_s = (int64_t)take64(cursor);
	if (mode & ~(uint32_t)(S_IFMT | 07777))
		return corrupt(err, "a mode");
	auto_inode struct mkv_inode *inode =
		mkv_inode_new(mode, uid, gid, mtime_s);
	if (!inode)
		return mkv_oom(err);
	int rc = read_body(reader, inode, err);
	if (rc == 0)
		rc = read_xattrs(cursor, inode, err);
	if (rc == 0 && cursor->is_short)
		rc = corrupt(err, "it ends early");
	if (rc < 0)
		return rc;
	*ret = mkv_take(inode);
	return 0;
}

/* The root is there from the start: it takes what the first entry says. */
static int set_root(struct reader *reader, const struct mkv_inode *from,
		    struct mkv_error *err)
{
	if (strcmp(reader->path, "/") != 0 || !S_ISDIR(from->mode))
		return corrupt(err, "no root");
	struct mkv_inode *root = mkv_tree_root(reader->tree);
	root->mode = from->mode;
	root->uid = from->uid;
	root->gid = from->gid;
	root->mtime_s = from->mtime_s;
	for (size_t i = 0; i < from->n_xattrs; i++) {
		int rc = mkv_inode_set_xattr(root, from->xattrs[i].name,
					     from->xattrs[i].value,
					     from->xattrs[i].size, err);
		if (rc < 0)
			return rc;
	}
	reader->inodes[0] = root;
	return 0;
}

static int read_entry(struct reader *reader, uint32_t number,
		      struct mkv_error *err)
{
	auto_inode struct mkv_inode *own = NULL;
	int rc = read_path(reader, err);
	if (rc < 0)
		return rc;
	uint64_t kind = take_number(&reader->cursor, 1);
	struct mkv_inode *inode;
	if (kind == MKV_PACK_LINK) {
		uint32_t first = take32(&reader->cursor);
		if (first >= number || S_ISDIR(reader->inodes[first]->mode))
			return corrupt(err, "a hard link");
		inode = reader->inodes[first];
	} else if (kind == MKV_PACK_INODE) {
		rc = read_inode(reader, &own, err);
		if (rc < 0)
			return rc;
		inode = own;
	} else {
		return corrupt(err, "a kind of entry");
	}
	if (number == 0)
		return kind == MKV_PACK_INODE ? set_root(reader, inode, err)
					      : corrupt(err, "no root");
	if (mkv_tree_lookup(reader->tree, reader->path))
		return corrupt(err, "a path twice");
	rc = mkv_tree_put(reader->tree, reader->path, inode, err);
	if (rc < 0)
		return rc == -ENOMEM ? rc : corrupt(err, "a path's place");
	reader->inodes[number] = inode;
	return 0;
}

static int read_entries(struct reader *reader, struct mkv_error *err)
{
	enum { SMALLEST = 2 + 2 + 1 + 1 + 4 };
	struct cursor *cursor = &reader->cursor;
	uint32_t count = take32(cursor);
	if (cursor->is_short || count == 0 || count > MKV_PACK_COUNT_MAX ||
	    count > cursor->left / SMALLEST)
		return corrupt(err, "the number of entries");
	reader->inodes = calloc(count, sizeof(*reader->inodes));
	if (!reader->inodes)
		return mkv_oom(err);
	for (uint32_t i = 0; i < count; i++) {
		int rc = read_entry(reader, i, err);
		if (rc < 0)
			return rc;
	}
	return cursor->left == 0 ? 0 : corrupt(err, "bytes behind the index");
}

static void reader_done(struct reader *reader)
{
	for (uint32_t i = 0; i < reader->n_contents; i++)
		mkv_content_unref(reader->contents[i]);
	free(reader->contents);
	free(reader->inodes);
	mkv_tree_free(reader->tree);
	mkv_source_unref(reader->source);
}

static int read_pack(struct reader *reader, struct mkv_buf *index,
		     struct mkv_error *err)
{
	int fd = mkv_source_fd(reader->source);
	struct stat status;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return mkv_fail(err, MKV_FAILED, EINVAL, "pack: not a file");
	uint64_t offset = 0;
	size_t size = 0;
	struct mkv_sha256 expected, got;
	int rc = read_footer(fd, (uint64_t)status.st_size, &offset, &size,
			     &expected, err);
	if (rc < 0)
		return rc;
	void *bytes = mkv_buf_extend(index, size);
	if (!bytes)
		return mkv_oom(err);
	rc = mkv_pread_all(fd, bytes, size, offset, err);
	if (rc == 0)
		rc = mkv_sha256_bytes(bytes, size, &got, err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&expected, &got))
		return corrupt(err, "the index's digest differs");
	reader->cursor = (struct cursor){bytes, size, false};
	int64_t mtime_s = (int64_t)take64(&reader->cursor);
	rc = mkv_tree_new(mtime_s, &reader->tree, err);
	if (rc == 0)
		rc = read_contents(reader, offset, err);
	return rc < 0 ? rc : read_entries(reader, err);
}

int mkv_pack_open(int fd, struct mkv_tree **ret, struct mkv_error *err)
{
	auto_free struct reader *reader = calloc(1, sizeof(*reader));
	if (!reader) {
		mkv_auto_close_(&fd);
		return mkv_oom(err);
	}
	int rc = mkv_source_new(fd, &reader->source, err);
	if (rc < 0)
		return rc;
	auto_buf struct mkv_buf index = {0};
	rc = read_pack(reader, &index, err);
	if (rc == 0)
		*ret = mkv_take(reader->tree);
	reader_done(reader);
	return rc;
}

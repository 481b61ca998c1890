/* SPDX-License-Identifier: MIT */
#include "builder/core/tree/pack.h"

#include <string.h>

#include "builder/core/tree/pack_format.h"
#include "builder/core/tree/tree_internal.h"
#include "lib/io.h"

/* The unread rest of the index. Reads past the end return zeros and set
 * is_short. */
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

static int fail_damaged(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "damaged pack: %s", what);
}

static const uint8_t *take_bytes(struct cursor *cursor, size_t size)
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

static uint8_t take8(struct cursor *cursor)
{
	const uint8_t *bytes = take_bytes(cursor, 1);
	return bytes ? *bytes : 0;
}

static uint16_t take16(struct cursor *cursor)
{
	const uint8_t *bytes = take_bytes(cursor, 2);
	return bytes ? mkv_le_get16(bytes) : 0;
}

static uint32_t take32(struct cursor *cursor)
{
	const uint8_t *bytes = take_bytes(cursor, 4);
	return bytes ? mkv_le_get32(bytes) : 0;
}

static uint64_t take64(struct cursor *cursor)
{
	const uint8_t *bytes = take_bytes(cursor, 8);
	return bytes ? mkv_le_get64(bytes) : 0;
}

/* Copies a string that isn't empty and has no NUL; NULL, with *err set, on
 * failure. */
static char *take_string(struct cursor *cursor, size_t length,
			 struct mkv_error *err)
{
	const uint8_t *bytes = take_bytes(cursor, length);
	if (!bytes || length == 0 || memchr(bytes, '\0', length)) {
		(void)fail_damaged(err, "an invalid or truncated string");
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
		return fail_damaged(err, "the file is too short");
	int rc = mkv_pread_all(fd, header, sizeof(header), 0, err);
	if (rc < 0)
		return rc;
	rc = mkv_pread_all(fd, footer, sizeof(footer), size - sizeof(footer),
			   err);
	if (rc < 0)
		return rc;
	struct cursor head = {header + 8, 8, false};
	struct cursor foot = {footer + 8, sizeof(footer) - 8, false};
	if (memcmp(header, MKV_PACK_MAGIC, 8) != 0 ||
	    memcmp(footer, MKV_PACK_END_MAGIC, 8) != 0)
		return fail_damaged(err, "no magic number");
	if (take32(&head) != MKV_PACK_VERSION || take32(&head) != 0 ||
	    take32(&foot) != MKV_PACK_VERSION || take32(&foot) != 0)
		return fail_damaged(err, "unknown version");
	uint64_t offset = take64(&foot), length = take64(&foot), end;
	if (offset < sizeof(header) || length > MKV_PACK_INDEX_MAX ||
	    __builtin_add_overflow(offset, length, &end) ||
	    end != size - sizeof(footer))
		return fail_damaged(err, "invalid offset or size of the index");
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
		return fail_damaged(err, "invalid number of contents");
	reader->contents = calloc(count ? count : 1, sizeof(*reader->contents));
	if (!reader->contents)
		return mkv_oom(err);
	uint64_t offset = MKV_PACK_HEADER_SIZE;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t size = take64(cursor);
		const uint8_t *digest = take_bytes(cursor, MKV_SHA256_SIZE);
		struct mkv_sha256 sha256;
		if (!digest || size > end - offset)
			return fail_damaged(err, "invalid size of a content");
		memcpy(sha256.bytes, digest, sizeof(sha256.bytes));
		reader->contents[i] = mkv_content_range(reader->source, offset,
							size, &sha256);
		if (!reader->contents[i])
			return mkv_oom(err);
		reader->n_contents++;
		offset += size;
	}
	return offset == end
		       ? 0
		       : fail_damaged(err,
				      "unreferenced bytes before the index");
}

static int read_path(struct reader *reader, struct mkv_error *err)
{
	struct cursor *cursor = &reader->cursor;
	size_t shared = take16(cursor), more = take16(cursor);
	if (shared > reader->path_length ||
	    more >= sizeof(reader->path) - shared || more == 0)
		return fail_damaged(err, "invalid length of a path");
	const uint8_t *bytes = take_bytes(cursor, more);
	if (!bytes || memchr(bytes, '\0', more))
		return fail_damaged(err, "invalid or truncated path");
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
			return fail_damaged(
				err, "invalid name of an extended attribute");
		size_t size = take32(cursor);
		const uint8_t *value = take_bytes(cursor, size);
		if (!value || size > MKV_PACK_XATTR_MAX)
			return fail_damaged(
				err, "invalid size of an extended attribute");
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
			return fail_damaged(err, "invalid number of a content");
		inode->content = mkv_content_ref(reader->contents[number]);
		return 0;
	}
	case S_IFLNK: {
		size_t length = take16(cursor);
		if (length > 4095)
			return fail_damaged(err,
					    "invalid length of a link target");
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
		return fail_damaged(err, "unknown file type");
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
		return fail_damaged(err, "invalid mode");
	auto_inode struct mkv_inode *inode =
		mkv_inode_new(mode, uid, gid, mtime_s);
	if (!inode)
		return mkv_oom(err);
	int rc = read_body(reader, inode, err);
	if (rc < 0)
		return rc;
	rc = read_xattrs(cursor, inode, err);
	if (rc < 0)
		return rc;
	if (cursor->is_short)
		return fail_damaged(err, "the index is truncated");
	*ret = mkv_take(inode);
	return 0;
}

/* Every tree has a root: it takes the first entry's properties. */
static int set_root(struct reader *reader, const struct mkv_inode *from,
		    struct mkv_error *err)
{
	if (strcmp(reader->path, "/") != 0 || !S_ISDIR(from->mode))
		return fail_damaged(err, "the first entry is not the root");
	struct mkv_inode *root = mkv_tree_root(reader->tree);
	root->mode = from->mode;
	root->uid = from->uid;
	root->gid = from->gid;
	root->mtime_s = from->mtime_s;
	int rc = mkv_inode_copy_xattrs(from, root, err);
	if (rc < 0)
		return rc;
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
	uint8_t kind = take8(&reader->cursor);
	struct mkv_inode *inode;
	if (kind == MKV_PACK_LINK) {
		uint32_t first = take32(&reader->cursor);
		if (first >= number || S_ISDIR(reader->inodes[first]->mode))
			return fail_damaged(err, "invalid hard link");
		inode = reader->inodes[first];
	} else if (kind == MKV_PACK_INODE) {
		rc = read_inode(reader, &own, err);
		if (rc < 0)
			return rc;
		inode = own;
	} else {
		return fail_damaged(err, "unknown kind of entry");
	}
	if (number == 0)
		return kind == MKV_PACK_INODE
			       ? set_root(reader, inode, err)
			       : fail_damaged(err, "the root is a hard link");
	if (mkv_tree_lookup(reader->tree, reader->path))
		return fail_damaged(err, "duplicate path");
	rc = mkv_tree_put(reader->tree, reader->path, inode, err);
	if (rc < 0)
		return rc == -ENOMEM
			       ? rc
			       : fail_damaged(
					 err,
					 "a path without a parent directory");
	reader->inodes[number] = inode;
	return 0;
}

static int read_entries(struct reader *reader, struct mkv_error *err)
{
	enum { ENTRY_MIN_BYTES = 2 + 2 + 1 + 1 + 4 };
	struct cursor *cursor = &reader->cursor;
	uint32_t count = take32(cursor);
	if (cursor->is_short || count == 0 || count > MKV_PACK_COUNT_MAX ||
	    count > cursor->left / ENTRY_MIN_BYTES)
		return fail_damaged(err, "invalid number of entries");
	reader->inodes = calloc(count, sizeof(*reader->inodes));
	if (!reader->inodes)
		return mkv_oom(err);
	for (uint32_t i = 0; i < count; i++) {
		int rc = read_entry(reader, i, err);
		if (rc < 0)
			return rc;
	}
	return cursor->left == 0
		       ? 0
		       : fail_damaged(err, "bytes after the last entry");
}

static void reader_free(struct reader *reader)
{
	for (uint32_t i = 0; i < reader->n_contents; i++)
		mkv_content_unref(reader->contents[i]);
	free(reader->contents);
	free(reader->inodes);
	mkv_tree_free(reader->tree);
	mkv_source_unref(reader->source);
	free(reader);
}
MKV_DEFINE_AUTO(reader, struct reader *, reader_free)

static int read_pack(struct reader *reader, struct mkv_buf *index,
		     struct mkv_error *err)
{
	int fd = mkv_source_fd(reader->source);
	struct stat status;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"pack: not a regular file");
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
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(bytes, size, &got, err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&expected, &got))
		return fail_damaged(err, "the digest of the index differs");
	reader->cursor = (struct cursor){bytes, size, false};
	int64_t mtime_s = (int64_t)take64(&reader->cursor);
	rc = mkv_tree_new(mtime_s, &reader->tree, err);
	if (rc < 0)
		return rc;
	rc = read_contents(reader, offset, err);
	return rc < 0 ? rc : read_entries(reader, err);
}

int mkv_pack_open(int fd, struct mkv_tree **ret, struct mkv_error *err)
{
	mkv_auto(reader) struct reader *reader = calloc(1, sizeof(*reader));
	if (!reader) {
		mkv_auto_close_(&fd);
		return mkv_oom(err);
	}
	int rc = mkv_source_new(fd, &reader->source, err);
	if (rc < 0)
		return rc;
	auto_buf struct mkv_buf index = {0};
	rc = read_pack(reader, &index, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(reader->tree);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "builder/core/tree/pack.h"

#include <fcntl.h>
#include <string.h>

#include "builder/core/tree/pack_format.h"
#include "lib/io.h"

struct stored {
	struct mkv_sha256 sha256;
	uint64_t offset;
	uint64_t size;
};

struct mkv_pack_writer {
	int fd;
	struct mkv_source *source;
	uint64_t end; /* where the next content goes */
	struct stored *stored;
	size_t n_stored, capacity;
	uint32_t *slots; /* open hashing by digest: index + 1, or 0 */
	size_t n_slots;	 /* a power of two, over twice n_stored */
	uint8_t *chunk;
	struct mkv_hasher *hasher;
};

enum { CHUNK = 1 << 20 };

int mkv_pack_writer_new(int fd, struct mkv_pack_writer **ret,
			struct mkv_error *err)
{
	auto_pack_writer struct mkv_pack_writer *writer =
		calloc(1, sizeof(*writer));
	if (!writer)
		return mkv_oom(err);
	writer->fd = fd;
	writer->end = MKV_PACK_HEADER_SIZE;
	writer->chunk = malloc(CHUNK);
	writer->hasher = mkv_hasher_new();
	writer->n_slots = 1024;
	writer->slots = calloc(writer->n_slots, sizeof(*writer->slots));
	if (!writer->chunk || !writer->hasher || !writer->slots)
		return mkv_oom(err);
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return mkv_fail(err, MKV_FAILED, errno, "pack: dup: %m");
	int rc = mkv_source_new(own, &writer->source, err);
	if (rc < 0)
		return rc;
	uint8_t header[MKV_PACK_HEADER_SIZE] = MKV_PACK_MAGIC;
	mkv_le_put32(header + 8, MKV_PACK_VERSION);
	rc = mkv_pwrite_all(fd, header, sizeof(header), 0, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(writer);
	return 0;
}

void mkv_pack_writer_free(struct mkv_pack_writer *writer)
{
	if (!writer)
		return;
	mkv_source_unref(writer->source);
	mkv_hasher_free(writer->hasher);
	free(writer->stored);
	free(writer->slots);
	free(writer->chunk);
	free(writer);
}

/* The slot that holds this digest, or the free one where it belongs. */
static size_t slot_of(const struct mkv_pack_writer *writer,
		      const struct mkv_sha256 *sha256)
{
	uint64_t hash;
	memcpy(&hash, sha256->bytes, sizeof(hash));
	size_t at = (size_t)hash & (writer->n_slots - 1);
	while (writer->slots[at] &&
	       !mkv_sha256_equal(&writer->stored[writer->slots[at] - 1].sha256,
				 sha256))
		at = (at + 1) & (writer->n_slots - 1);
	return at;
}

static int grow(struct mkv_pack_writer *writer, struct mkv_error *err)
{
	if (writer->n_stored == writer->capacity) {
		size_t capacity = writer->capacity ? writer->capacity * 2 : 512;
		if (capacity > MKV_PACK_COUNT_MAX)
			return mkv_fail(err, MKV_FAILED, EFBIG,
					"pack: too many contents");
		struct stored *grown =
			reallocarray(writer->stored, capacity, sizeof(*grown));
		if (!grown)
			return mkv_oom(err);
		writer->stored = grown;
		writer->capacity = capacity;
	}
	if ((writer->n_stored + 1) * 2 < writer->n_slots)
		return 0;
	uint32_t *slots = calloc(writer->n_slots * 2, sizeof(*slots));
	if (!slots)
		return mkv_oom(err);
	free(writer->slots);
	writer->slots = slots;
	writer->n_slots *= 2;
	for (size_t i = 0; i < writer->n_stored; i++)
		slots[slot_of(writer, &writer->stored[i].sha256)] =
			(uint32_t)i + 1;
	return 0;
}

/* The number of the content; a new one is what was just written at the end. */
static int remember(struct mkv_pack_writer *writer,
		    const struct mkv_sha256 *sha256, uint64_t size, size_t *ret,
		    struct mkv_error *err)
{
	int rc = grow(writer, err);
	if (rc < 0)
		return rc;
	size_t slot = slot_of(writer, sha256);
	if (!writer->slots[slot]) {
		writer->stored[writer->n_stored++] =
			(struct stored){*sha256, writer->end, size};
		writer->slots[slot] = (uint32_t)writer->n_stored;
		writer->end += size;
	}
	*ret = writer->slots[slot] - 1;
	return 0;
}

/* Where bytes come from: a file, or a content of another place. */
struct origin {
	int fd;
	const struct mkv_content *content;
};

static int read_origin(const struct origin *origin, uint64_t offset, void *into,
		       size_t size, struct mkv_error *err)
{
	if (origin->content)
		return mkv_content_read(origin->content, offset, into, size,
					err);
	return mkv_pread_all(origin->fd, into, size, offset, err);
}

/* Copies to the end of the pack while hashing. A small content that is there
 * already isn't written at all; a large one is overwritten by the next. */
static int store(struct mkv_pack_writer *writer, const struct origin *origin,
		 uint64_t size, size_t *ret, struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	bool is_small = size <= CHUNK;
	int rc = 0;
	for (uint64_t at = 0; rc == 0 && at < size; at += CHUNK) {
		size_t want = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
		rc = read_origin(origin, at, writer->chunk, want, err);
		if (rc == 0)
			mkv_hasher_add(writer->hasher, writer->chunk, want);
		if (rc == 0 && !is_small)
			rc = mkv_pwrite_all(writer->fd, writer->chunk, want,
					    writer->end + at, err);
	}
	/* Finished in any case: the hasher must start afresh. */
	struct mkv_error late;
	int finished = mkv_hasher_finish(writer->hasher, &sha256,
					 rc < 0 ? &late : err);
	if (rc < 0 || finished < 0)
		return rc < 0 ? rc : finished;
	uint64_t end = writer->end;
	rc = remember(writer, &sha256, size, ret, err);
	if (rc == 0 && is_small && writer->end != end)
		rc = mkv_pwrite_all(writer->fd, writer->chunk, (size_t)size,
				    end, err);
	return rc;
}

int mkv_pack_add(struct mkv_pack_writer *writer, int file_fd, uint64_t size,
		 struct mkv_content **ret, struct mkv_error *err)
{
	size_t number;
	int rc = store(writer, &(struct origin){.fd = file_fd}, size, &number,
		       err);
	if (rc < 0)
		return mkv_wrap(err, rc, "pack");
	const struct stored *stored = &writer->stored[number];
	struct mkv_content *content = mkv_content_range(
		writer->source, stored->offset, stored->size, &stored->sha256);
	if (!content)
		return mkv_oom(err);
	*ret = content;
	return 0;
}

struct index {
	struct mkv_pack_writer *writer;
	struct mkv_buf entries;
	struct mkv_buf last_path;
	uint32_t count;
};

static void put16(struct mkv_buf *buf, size_t value)
{
	uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
	mkv_buf_add(buf, bytes, sizeof(bytes));
}

static void put32(struct mkv_buf *buf, uint32_t value)
{
	uint8_t bytes[4];
	mkv_le_put32(bytes, value);
	mkv_buf_add(buf, bytes, sizeof(bytes));
}

static void put64(struct mkv_buf *buf, uint64_t value)
{
	uint8_t bytes[8];
	mkv_le_put64(bytes, value);
	mkv_buf_add(buf, bytes, sizeof(bytes));
}

/* The number of an inode's content, which is added if it isn't there. */
static int content_number(struct mkv_pack_writer *writer,
			  struct mkv_content *content, size_t *ret,
			  struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	int rc = mkv_content_sha256(content, &sha256, err);
	if (rc < 0)
		return rc;
	size_t slot = slot_of(writer, &sha256);
	if (writer->slots[slot]) {
		*ret = writer->slots[slot] - 1;
		return 0;
	}
	return store(writer, &(struct origin){.fd = -1, .content = content},
		     mkv_content_size(content), ret, err);
}

static int put_inode(struct index *index, const struct mkv_inode *inode,
		     struct mkv_error *err)
{
	struct mkv_buf *to = &index->entries;
	put32(to, (uint32_t)inode->mode);
	put32(to, inode->uid);
	put32(to, inode->gid);
	put64(to, (uint64_t)inode->mtime_s);
	if (S_ISREG(inode->mode)) {
		size_t number;
		int rc = content_number(index->writer, inode->content, &number,
					err);
		if (rc < 0)
			return rc;
		put32(to, (uint32_t)number);
	} else if (S_ISLNK(inode->mode)) {
		put16(to, strlen(inode->target));
		mkv_buf_str(to, inode->target);
	} else if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) {
		put32(to, inode->major);
		put32(to, inode->minor);
	}
	put16(to, inode->n_xattrs);
	for (size_t i = 0; i < inode->n_xattrs; i++) {
		const struct mkv_xattr *xattr = &inode->xattrs[i];
		put16(to, strlen(xattr->name));
		mkv_buf_str(to, xattr->name);
		put32(to, (uint32_t)xattr->size);
		mkv_buf_add(to, xattr->value, xattr->size);
	}
	return 0;
}

/* Marks number the entries from 1, so that a later hard link finds its first.
 */
static int put_entry(const char *path, struct mkv_inode *inode, void *context,
		     struct mkv_error *err)
{
	struct index *index = context;
	const char *last = index->last_path.data ? index->last_path.data : "";
	size_t shared = 0, length = strlen(path);
	while (path[shared] && path[shared] == last[shared])
		shared++;
	put16(&index->entries, shared);
	put16(&index->entries, length - shared);
	mkv_buf_str(&index->entries, path + shared);
	index->last_path.size = 0;
	mkv_buf_str(&index->last_path, path);
	bool is_link = !S_ISDIR(inode->mode) && inode->mark;
	mkv_buf_char(&index->entries, is_link ? MKV_PACK_LINK : MKV_PACK_INODE);
	index->count++;
	if (is_link) {
		put32(&index->entries, (uint32_t)inode->mark - 1);
		return 0;
	}
	inode->mark = index->count;
	return put_inode(index, inode, err);
}

static int clear_mark(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	(void)path, (void)context, (void)err;
	inode->mark = 0;
	return 0;
}

static int write_index(struct mkv_pack_writer *writer,
		       const struct mkv_buf *entries, uint32_t count,
		       const struct mkv_tree *tree, struct mkv_error *err)
{
	auto_buf struct mkv_buf all = {0};
	put64(&all, (uint64_t)mkv_tree_root(tree)->mtime_s);
	put32(&all, (uint32_t)writer->n_stored);
	for (size_t i = 0; i < writer->n_stored; i++) {
		put64(&all, writer->stored[i].size);
		mkv_buf_add(&all, writer->stored[i].sha256.bytes,
			    MKV_SHA256_SIZE);
	}
	put32(&all, count);
	mkv_buf_add(&all, entries->data, entries->size);
	int rc = mkv_buf_check(&all, err);
	struct mkv_sha256 digest;
	if (rc == 0)
		rc = mkv_sha256_bytes(all.data, all.size, &digest, err);
	if (rc < 0)
		return rc;
	size_t index_size = all.size;
	mkv_buf_str(&all, MKV_PACK_END_MAGIC);
	put32(&all, MKV_PACK_VERSION);
	put32(&all, 0);
	put64(&all, writer->end);
	put64(&all, index_size);
	mkv_buf_add(&all, digest.bytes, MKV_SHA256_SIZE);
	rc = mkv_buf_check(&all, err);
	if (rc == 0 && index_size > MKV_PACK_INDEX_MAX)
		rc = mkv_fail(err, MKV_FAILED, EFBIG, "index too large");
	if (rc == 0)
		rc = mkv_pwrite_all(writer->fd, all.data, all.size, writer->end,
				    err);
	/* A large content that turned out to be there already may lie behind.
	 */
	if (rc == 0 &&
	    ftruncate(writer->fd, (off_t)(writer->end + all.size)) < 0)
		rc = mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
	return rc;
}

int mkv_pack_finish(struct mkv_pack_writer *writer, const struct mkv_tree *tree,
		    struct mkv_error *err)
{
	struct index index = {.writer = writer};
	int rc = mkv_tree_walk(tree, clear_mark, NULL, err);
	if (rc == 0)
		rc = mkv_tree_walk(tree, put_entry, &index, err);
	if (rc == 0)
		rc = mkv_buf_check(&index.entries, err);
	if (rc == 0)
		rc = mkv_buf_check(&index.last_path, err);
	if (rc == 0)
		rc = write_index(writer, &index.entries, index.count, tree,
				 err);
	mkv_buf_done(&index.entries);
	mkv_buf_done(&index.last_path);
	return rc < 0 ? mkv_wrap(err, rc, "pack") : 0;
}

int mkv_pack_write(const struct mkv_tree *tree, int fd, struct mkv_error *err)
{
	auto_pack_writer struct mkv_pack_writer *writer = NULL;
	int rc = mkv_pack_writer_new(fd, &writer, err);
	return rc < 0 ? rc : mkv_pack_finish(writer, tree, err);
}

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
	uint64_t end; /* offset for the next content */
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
		return mkv_fail(err, MKV_FAILED, errno,
				"pack: duplicate a descriptor: %m");
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

/* The slot of a digest, or the free slot for it. */
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

static int grow_tables(struct mkv_pack_writer *writer, struct mkv_error *err)
{
	if (writer->n_stored == writer->capacity) {
		size_t capacity = writer->capacity ? writer->capacity * 2 : 512;
		if (capacity > MKV_PACK_COUNT_MAX)
			return mkv_fail(err, MKV_FAILED, EFBIG,
					"too many contents (at most %d)",
					MKV_PACK_COUNT_MAX);
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

/* The number of the content. A new content gets its place at the end. */
static int place_content(struct mkv_pack_writer *writer,
			 const struct mkv_sha256 *sha256, uint64_t size,
			 size_t *ret, struct mkv_error *err)
{
	int rc = grow_tables(writer, err);
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

/* Where bytes come from: an open file, or a content if not NULL. */
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

/* Hashes a content. One that fits into the chunk stays there; a larger one is
 * also written to the end of the pack. */
static int hash_content(struct mkv_pack_writer *writer,
			const struct origin *origin, uint64_t size,
			struct mkv_error *err)
{
	for (uint64_t at = 0; at < size; at += CHUNK) {
		size_t part = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
		int rc = read_origin(origin, at, writer->chunk, part, err);
		if (rc < 0)
			return rc;
		mkv_hasher_add(writer->hasher, writer->chunk, part);
		if (size <= CHUNK)
			return 0;
		rc = mkv_pwrite_all(writer->fd, writer->chunk, part,
				    writer->end + at, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A small content that the pack has already isn't written; a large one is
 * overwritten by the next content. */
static int store_content(struct mkv_pack_writer *writer,
			 const struct origin *origin, uint64_t size,
			 size_t *ret, struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	int rc = hash_content(writer, origin, size, err);
	/* Also after a failure: this resets the hasher for the next content. */
	struct mkv_error ignored;
	int finished = mkv_hasher_finish(writer->hasher, &sha256,
					 rc < 0 ? &ignored : err);
	if (rc < 0)
		return rc;
	if (finished < 0)
		return finished;
	uint64_t end = writer->end;
	rc = place_content(writer, &sha256, size, ret, err);
	if (rc < 0 || size > CHUNK || writer->end == end)
		return rc;
	return mkv_pwrite_all(writer->fd, writer->chunk, (size_t)size, end,
			      err);
}

int mkv_pack_add(struct mkv_pack_writer *writer, int file_fd, uint64_t size,
		 struct mkv_content **ret, struct mkv_error *err)
{
	size_t number;
	int rc = store_content(writer, &(struct origin){.fd = file_fd}, size,
			       &number, err);
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

static void index_done(struct index *index)
{
	mkv_buf_done(&index->entries);
	mkv_buf_done(&index->last_path);
}

static void put16(struct mkv_buf *buf, size_t value)
{
	uint8_t bytes[2];
	mkv_le_put16(bytes, (uint16_t)value);
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

/* The number of an inode's content, which is added if the pack lacks it. */
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
	return store_content(writer,
			     &(struct origin){.fd = -1, .content = content},
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

/* The mark of an inode is the number of its first entry plus 1; hard links
 * refer to that number. */
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

static int put_index(const struct index *index, int64_t mtime_s,
		     struct mkv_buf *ret, struct mkv_error *err)
{
	const struct mkv_pack_writer *writer = index->writer;
	int rc = mkv_buf_check(&index->entries, err);
	if (rc < 0)
		return rc;
	rc = mkv_buf_check(&index->last_path, err);
	if (rc < 0)
		return rc;
	put64(ret, (uint64_t)mtime_s);
	put32(ret, (uint32_t)writer->n_stored);
	for (size_t i = 0; i < writer->n_stored; i++) {
		put64(ret, writer->stored[i].size);
		mkv_buf_add(ret, writer->stored[i].sha256.bytes,
			    MKV_SHA256_SIZE);
	}
	put32(ret, index->count);
	mkv_buf_add(ret, index->entries.data, index->entries.size);
	rc = mkv_buf_check(ret, err);
	if (rc < 0)
		return rc;
	if (ret->size > MKV_PACK_INDEX_MAX)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"index of %zu bytes is too large (at most %d)",
				ret->size, MKV_PACK_INDEX_MAX);
	return 0;
}

/* Appends the footer to the index. */
static int put_footer(struct mkv_buf *index, uint64_t offset,
		      struct mkv_error *err)
{
	struct mkv_sha256 digest;
	size_t size = index->size;
	int rc = mkv_sha256_bytes(index->data, size, &digest, err);
	if (rc < 0)
		return rc;
	mkv_buf_str(index, MKV_PACK_END_MAGIC);
	put32(index, MKV_PACK_VERSION);
	put32(index, 0);
	put64(index, offset);
	put64(index, size);
	mkv_buf_add(index, digest.bytes, MKV_SHA256_SIZE);
	return mkv_buf_check(index, err);
}

static int finish_pack(struct index *index, const struct mkv_tree *tree,
		       struct mkv_error *err)
{
	const struct mkv_pack_writer *writer = index->writer;
	auto_buf struct mkv_buf text = {0};
	mkv_tree_clear_marks(tree);
	int rc = mkv_tree_walk(tree, put_entry, index, err);
	if (rc < 0)
		return rc;
	rc = put_index(index, mkv_tree_root(tree)->mtime_s, &text, err);
	if (rc < 0)
		return rc;
	rc = put_footer(&text, writer->end, err);
	if (rc < 0)
		return rc;
	rc = mkv_pwrite_all(writer->fd, text.data, text.size, writer->end, err);
	if (rc < 0)
		return rc;
	/* Cuts off a large content that was written and then found to be a
	 * duplicate. */
	if (ftruncate(writer->fd, (off_t)(writer->end + text.size)) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
	return 0;
}

int mkv_pack_finish(struct mkv_pack_writer *writer, const struct mkv_tree *tree,
		    struct mkv_error *err)
{
	__attribute__((cleanup(index_done))) struct index index = {
		.writer = writer};
	int rc = finish_pack(&index, tree, err);
	return rc < 0 ? mkv_wrap(err, rc, "pack") : 0;
}

int mkv_pack_write(const struct mkv_tree *tree, int fd, struct mkv_error *err)
{
	auto_pack_writer struct mkv_pack_writer *writer = NULL;
	int rc = mkv_pack_writer_new(fd, &writer, err);
	return rc < 0 ? rc : mkv_pack_finish(writer, tree, err);
}

/* SPDX-License-Identifier: MIT */
#include "builder/core/tree/content.h"

#include <stdatomic.h>
#include <string.h>

#include "lib/io.h"

struct mkv_source {
	atomic_uint references;
	int fd;
};

struct mkv_content {
	atomic_uint references;
	struct mkv_source *source; /* NULL: the bytes follow the struct */
	uint64_t offset;
	uint64_t size;
	bool has_sha256;
	struct mkv_sha256 sha256;
	uint8_t bytes[];
};

int mkv_source_new(int fd, struct mkv_source **ret, struct mkv_error *err)
{
	struct mkv_source *source = calloc(1, sizeof(*source));
	if (!source) {
		mkv_auto_close_(&fd);
		return mkv_oom(err);
	}
	source->references = 1;
	source->fd = fd;
	*ret = source;
	return 0;
}

struct mkv_source *mkv_source_ref(struct mkv_source *source)
{
	atomic_fetch_add(&source->references, 1);
	return source;
}

void mkv_source_unref(struct mkv_source *source)
{
	if (!source || atomic_fetch_sub(&source->references, 1) != 1)
		return;
	mkv_auto_close_(&source->fd);
	free(source);
}

int mkv_source_fd(const struct mkv_source *source)
{
	return source->fd;
}

struct mkv_content *mkv_content_range(struct mkv_source *source,
				      uint64_t offset, uint64_t size,
				      const struct mkv_sha256 *sha256)
{
	struct mkv_content *content = calloc(1, sizeof(*content));
	if (!content)
		return NULL;
	content->references = 1;
	content->source = mkv_source_ref(source);
	content->offset = offset;
	content->size = size;
	if (sha256) {
		content->has_sha256 = true;
		content->sha256 = *sha256;
	}
	return content;
}

struct mkv_content *mkv_content_bytes(const void *data, size_t size)
{
	size_t total;
	if (__builtin_add_overflow(sizeof(struct mkv_content), size, &total))
		return NULL;
	struct mkv_content *content = calloc(1, total);
	if (!content)
		return NULL;
	content->references = 1;
	content->size = size;
	if (size)
		memcpy(content->bytes, data, size);
	return content;
}

struct mkv_content *mkv_content_ref(struct mkv_content *content)
{
	atomic_fetch_add(&content->references, 1);
	return content;
}

void mkv_content_unref(struct mkv_content *content)
{
	if (!content || atomic_fetch_sub(&content->references, 1) != 1)
		return;
	mkv_source_unref(content->source);
	free(content);
}

uint64_t mkv_content_size(const struct mkv_content *content)
{
	return content->size;
}

int mkv_content_read(const struct mkv_content *content, uint64_t offset,
		     void *into, size_t size, struct mkv_error *err)
{
	if (offset > content->size || size > content->size - offset)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"read past the end of a content");
	if (content->source)
		return mkv_pread_all(content->source->fd, into, size,
				     content->offset + offset, err);
	if (size)
		memcpy(into, content->bytes + offset, size);
	return 0;
}

int mkv_content_copy_range_to(const struct mkv_content *content, uint64_t from,
			      uint64_t size, int fd, uint64_t offset,
			      struct mkv_error *err)
{
	if (from > content->size || size > content->size - from)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"copy past the end of a content");
	if (content->source)
		return mkv_copy_range(content->source->fd,
				      content->offset + from, fd, offset, size,
				      err);
	return mkv_pwrite_all(fd, content->bytes + from, (size_t)size, offset,
			      err);
}

int mkv_content_copy_to(const struct mkv_content *content, int fd,
			uint64_t offset, struct mkv_error *err)
{
	return mkv_content_copy_range_to(content, 0, content->size, fd, offset,
					 err);
}

static int hash_range(const struct mkv_content *content, struct mkv_sha256 *ret,
		      struct mkv_error *err)
{
	enum { CHUNK = 128 * 1024 };
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	auto_free uint8_t *chunk = malloc(CHUNK);
	if (!hasher || !chunk)
		return mkv_oom(err);
	for (uint64_t at = 0; at < content->size;) {
		uint64_t left = content->size - at;
		size_t want = left < CHUNK ? (size_t)left : CHUNK;
		int rc = mkv_content_read(content, at, chunk, want, err);
		if (rc < 0)
			return rc;
		mkv_hasher_add(hasher, chunk, want);
		at += want;
	}
	return mkv_hasher_finish(hasher, ret, err);
}

int mkv_content_sha256(struct mkv_content *content, struct mkv_sha256 *ret,
		       struct mkv_error *err)
{
	if (!content->has_sha256) {
		int rc = hash_range(content, &content->sha256, err);
		if (rc < 0)
			return rc;
		content->has_sha256 = true;
	}
	*ret = content->sha256;
	return 0;
}

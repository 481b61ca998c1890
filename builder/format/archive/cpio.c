/* SPDX-License-Identifier: MIT */
#include "builder/format/archive/cpio.h"

#include <string.h>

enum { ALIGN = 4 };

/* State of the walk. An inode's mark holds its number in the low 32 bits and
 * above them the count of its names so far. */
enum { SEEN_SHIFT = 32 };
struct writer {
	struct mkv_buf *into;
	size_t start; /* offset of the archive in `into` */
	uint32_t next_number;
};

static void pad_to_alignment(struct writer *writer)
{
	size_t used = (writer->into->size - writer->start) % ALIGN;
	if (used)
		mkv_buf_fill(writer->into, 0, ALIGN - used);
}

struct header {
	uint32_t number, mode, uid, gid, links, mtime, size, major, minor;
};

static void put_header(struct writer *writer, const struct header *h,
		       const char *name)
{
	mkv_buf_printf(writer->into,
		       "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08zX"
		       "%08X",
		       h->number, h->mode, h->uid, h->gid, h->links, h->mtime,
		       h->size, 0U, 0U, h->major, h->minor, strlen(name) + 1,
		       0U);
	mkv_buf_add(writer->into, name, strlen(name) + 1);
	pad_to_alignment(writer);
}

static int put_content(struct writer *writer, const struct mkv_content *content,
		       uint32_t size, struct mkv_error *err)
{
	void *data = mkv_buf_extend(writer->into, size);
	if (size && !data)
		return mkv_oom(err);
	int rc = size ? mkv_content_read(content, 0, data, size, err) : 0;
	if (rc < 0)
		return rc;
	pad_to_alignment(writer);
	return 0;
}

static uint32_t count_links(const struct mkv_inode *inode)
{
	if (!S_ISDIR(inode->mode))
		return inode->entries;
	size_t count = 0;
	const struct mkv_tree_entry *children =
		mkv_inode_children(inode, &count);
	uint32_t links = 2;
	for (size_t i = 0; i < count; i++)
		links += S_ISDIR(children[i].inode->mode);
	return links;
}

static int put_entry(const char *path, struct mkv_inode *inode, void *context,
		     struct mkv_error *err)
{
	struct writer *writer = context;
	if (strcmp(path, "/") == 0)
		return 0;
	if (inode->mtime_s < 0 || inode->mtime_s > UINT32_MAX ||
	    (inode->content && mkv_content_size(inode->content) > INT32_MAX))
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"'%s': size or time out of range for cpio",
				path);
	if (!inode->mark)
		inode->mark = writer->next_number++;
	inode->mark += 1ULL << SEEN_SHIFT;
	struct header header = {
		.number = (uint32_t)inode->mark,
		.mode = inode->mode,
		.uid = inode->uid,
		.gid = inode->gid,
		.links = count_links(inode),
		.mtime = (uint32_t)inode->mtime_s,
		.major = inode->major,
		.minor = inode->minor,
	};
	if (S_ISLNK(inode->mode)) {
		header.size = (uint32_t)strlen(inode->target);
		put_header(writer, &header, path + 1);
		mkv_buf_add(writer->into, inode->target, header.size);
		pad_to_alignment(writer);
		return 0;
	}
	bool last = inode->mark >> SEEN_SHIFT == inode->entries;
	if (inode->content && last)
		header.size = (uint32_t)mkv_content_size(inode->content);
	put_header(writer, &header, path + 1);
	return header.size
		       ? put_content(writer, inode->content, header.size, err)
		       : 0;
}

int mkv_cpio_write(const struct mkv_tree *tree, struct mkv_buf *into,
		   struct mkv_error *err)
{
	struct writer writer = {
		.into = into, .start = into->size, .next_number = 1};
	mkv_tree_clear_marks(tree);
	int rc = mkv_tree_walk(tree, put_entry, &writer, err);
	if (rc < 0)
		return rc;
	put_header(&writer, &(struct header){.links = 1}, "TRAILER!!!");
	return mkv_buf_check(into, err);
}

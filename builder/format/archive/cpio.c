/* SPDX-License-Identifier: MIT */
#include "builder/format/archive/cpio.h"

#include <string.h>

enum { ALIGN = 4 };

/* The walk's state. A hard link's number stays in the inode's mark; how often
 * it came up so far stands above it. */
enum { SEEN_SHIFT = 32 };
struct writer {
	struct mkv_buf *into;
	size_t start; /* where the archive begins in `into` */
	uint32_t next_number;
};

static void pad(struct writer *writer)
{
	size_t used = (writer->into->size - writer->start) % ALIGN;
	if (used)
		mkv_buf_fill(writer->into, 0, ALIGN - used);
}

struct head {
	uint32_t number, mode, uid, gid, links, mtime, size, major, minor;
};

static void put_head(struct writer *writer, const struct head *h,
		     const char *name)
{
	mkv_buf_printf(writer->into,
		       "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08zX"
		       "%08X",
		       h->number, h->mode, h->uid, h->gid, h->links, h->mtime,
		       h->size, 0U, 0U, h->major, h->minor, strlen(name) + 1,
		       0U);
	mkv_buf_add(writer->into, name, strlen(name) + 1);
	pad(writer);
}

static int put_content(struct writer *writer, const struct mkv_content *content,
		       uint32_t size, struct mkv_error *err)
{
	void *room = mkv_buf_extend(writer->into, size);
	if (size && !room)
		return mkv_oom(err);
	int rc = size ? mkv_content_read(content, 0, room, size, err) : 0;
	pad(writer);
	return rc;
}

static uint32_t links_of(const struct mkv_inode *inode)
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

static int forget(const char *path, struct mkv_inode *inode, void *context,
		  struct mkv_error *err)
{
	(void)path, (void)context, (void)err;
	inode->mark = 0;
	return 0;
}

static int visit(const char *path, struct mkv_inode *inode, void *context,
		 struct mkv_error *err)
{
	struct writer *writer = context;
	if (strcmp(path, "/") == 0)
		return 0;
	if (inode->mtime_s < 0 || inode->mtime_s > UINT32_MAX ||
	    (inode->content && mkv_content_size(inode->content) > INT32_MAX))
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"'%s' has a size or time that cpio can't hold",
				path);
	if (!inode->mark)
		inode->mark = writer->next_number++;
	inode->mark += 1ULL << SEEN_SHIFT;
	struct head head = {
		.number = (uint32_t)inode->mark,
		.mode = inode->mode,
		.uid = inode->uid,
		.gid = inode->gid,
		.links = links_of(inode),
		.mtime = (uint32_t)inode->mtime_s,
		.major = inode->major,
		.minor = inode->minor,
	};
	if (S_ISLNK(inode->mode)) {
		head.size = (uint32_t)strlen(inode->target);
		put_head(writer, &head, path + 1);
		mkv_buf_add(writer->into, inode->target, head.size);
		pad(writer);
		return 0;
	}
	bool last = inode->mark >> SEEN_SHIFT == inode->entries;
	if (inode->content && last)
		head.size = (uint32_t)mkv_content_size(inode->content);
	put_head(writer, &head, path + 1);
	return head.size ? put_content(writer, inode->content, head.size, err)
			 : 0;
}

int mkv_cpio_write(const struct mkv_tree *tree, struct mkv_buf *into,
		   struct mkv_error *err)
{
	struct writer writer = {
		.into = into, .start = into->size, .next_number = 1};
	int rc = mkv_tree_walk(tree, forget, NULL, err);
	if (rc == 0)
		rc = mkv_tree_walk(tree, visit, &writer, err);
	if (rc < 0)
		return rc;
	put_head(&writer, &(struct head){.links = 1}, "TRAILER!!!");
	return mkv_buf_check(into, err);
}

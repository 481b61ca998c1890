/* SPDX-License-Identifier: MIT */
#include "builder/core/tree/freeze.h"

#include <fcntl.h>

struct copies {
	struct mkv_source *source;
	uint64_t size_bytes;
};

static void copies_done(struct copies *copies)
{
	mkv_source_unref(copies->source);
}
#define auto_copies __attribute__((cleanup(copies_done)))

static int open_copies(const char *directory, struct copies *ret,
		       struct mkv_error *err)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"create a file in '%s': %m", directory);
	return mkv_source_new(fd, &ret->source, err);
}

static int copy_content(struct copies *copies, const struct mkv_content *from,
			struct mkv_content **ret, struct mkv_error *err)
{
	uint64_t size = mkv_content_size(from);
	int rc = mkv_content_copy_to(from, mkv_source_fd(copies->source),
				     copies->size_bytes, err);
	if (rc < 0)
		return rc;
	*ret = mkv_content_range(copies->source, copies->size_bytes, size,
				 NULL);
	copies->size_bytes += size;
	return *ret ? 0 : mkv_oom(err);
}

static int freeze_file(const char *path, struct mkv_inode *inode, void *context,
		       struct mkv_error *err)
{
	struct mkv_content *frozen = NULL;
	if (!inode->content)
		return 0;
	int rc = copy_content(context, inode->content, &frozen, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	mkv_content_unref(inode->content);
	inode->content = frozen;
	return 0;
}

int mkv_tree_freeze(struct mkv_tree *tree, const char *directory,
		    struct mkv_error *err)
{
	auto_copies struct copies copies = {0};
	int rc = open_copies(directory, &copies, err);
	return rc < 0 ? rc : mkv_tree_walk(tree, freeze_file, &copies, err);
}

int mkv_content_freeze(const struct mkv_content *content, const char *directory,
		       struct mkv_content **ret, struct mkv_error *err)
{
	auto_copies struct copies copies = {0};
	int rc = open_copies(directory, &copies, err);
	return rc < 0 ? rc : copy_content(&copies, content, ret, err);
}

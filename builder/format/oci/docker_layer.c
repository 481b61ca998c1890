/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/docker_layer.h"

#include <string.h>

#include "lib/buf.h"

static const char whiteout[] = ".wh.", opaque[] = ".wh..wh..opq";

struct copy {
	struct mkv_tree *root;
	const char *dir;
	struct mkv_buf *path; /* of the current entry in `root` */
};

/* Sets copy->path to the destination of an entry; *ret_name is its last
 * component. */
static int set_target_path(struct copy *copy, const char *path,
			   const char **ret_name, struct mkv_error *err)
{
	copy->path->size = 0;
	mkv_buf_str(copy->path, copy->dir);
	if (path[1])
		mkv_buf_str(copy->path, path);
	int rc = mkv_buf_check(copy->path, err);
	if (rc < 0)
		return rc;
	*ret_name = strrchr(copy->path->data, '/') + 1;
	return 0;
}

static int put_whiteout(struct copy *copy, const char *name, int64_t mtime_s,
			struct mkv_error *err)
{
	char *path = copy->path->data;
	size_t at = (size_t)(name - path);
	size_t prefix = strlen(whiteout);
	if (strcmp(name, opaque) == 0) {
		path[at - 1] = '\0';
		struct mkv_inode *dir = mkv_tree_lookup(copy->root, path);
		return mkv_inode_set_xattr(dir, "trusted.overlay.opaque", "y",
					   1, err);
	}
	memmove(path + at, name + prefix, strlen(name + prefix) + 1);
	if (strncmp(path + at, whiteout, prefix) == 0 || path[at] == '\0')
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"unsupported whiteout for '%s'", path);
	auto_inode struct mkv_inode *device =
		mkv_inode_new(S_IFCHR, 0, 0, mtime_s);
	if (!device)
		return mkv_oom(err);
	return mkv_tree_put(copy->root, path, device, err);
}

/* The mark of a copied inode points to its copy, so that a hard link to the
 * inode becomes a hard link to the copy. */
static int copy_entry(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	struct copy *copy = context;
	const char *name = NULL;
	int rc = set_target_path(copy, path, &name, err);
	if (rc < 0)
		return rc;
	if (path[1] && strncmp(name, whiteout, strlen(whiteout)) == 0)
		return put_whiteout(copy, name, inode->mtime_s, err);
	if (inode->mark)
		return mkv_tree_put(copy->root, copy->path->data,
				    (struct mkv_inode *)(uintptr_t)inode->mark,
				    err);
	auto_inode struct mkv_inode *twin = NULL;
	rc = mkv_inode_copy(inode, &twin, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_put(copy->root, copy->path->data, twin, err);
	if (rc < 0)
		return rc;
	if (!S_ISDIR(inode->mode))
		inode->mark = (uint64_t)(uintptr_t)twin;
	return 0;
}

int mkv_docker_layer_put(struct mkv_tree *root, const char *dir,
			 const struct mkv_tree *layer, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	struct copy copy = {root, dir, &path};
	mkv_tree_clear_marks(layer);
	return mkv_tree_walk(layer, copy_entry, &copy, err);
}

/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/docker_layer.h"

#include <string.h>

#include "lib/buf.h"

static const char whiteout[] = ".wh.", opaque[] = ".wh..wh..opq";

struct copy {
	struct mkv_tree *root;
	const char *folder;
	struct mkv_buf path;
};

static int clear_mark(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	(void)path, (void)context, (void)err;
	inode->mark = 0;
	return 0;
}

/* The path in the tree where the copy goes; `name` its last component. */
static int target_path(struct copy *copy, const char *path,
		       const char **ret_name, struct mkv_error *err)
{
	copy->path.size = 0;
	mkv_buf_str(&copy->path, copy->folder);
	if (path[1])
		mkv_buf_str(&copy->path, path);
	int rc = mkv_buf_check(&copy->path, err);
	if (rc == 0)
		*ret_name = strrchr(copy->path.data, '/') + 1;
	return rc;
}

static int put_whiteout(struct copy *copy, const char *name, int64_t mtime_s,
			struct mkv_error *err)
{
	size_t at = (size_t)(name - copy->path.data);
	size_t prefix = strlen(whiteout);
	if (strcmp(name, opaque) == 0) {
		copy->path.data[at - 1] = '\0';
		struct mkv_inode *dir =
			mkv_tree_lookup(copy->root, copy->path.data);
		return mkv_inode_set_xattr(dir, "trusted.overlay.opaque", "y",
					   1, err);
	}
	memmove(copy->path.data + at, name + prefix, strlen(name + prefix) + 1);
	if (strncmp(copy->path.data + at, whiteout, prefix) == 0 ||
	    copy->path.data[at] == '\0')
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not a whiteout that we know",
				copy->path.data);
	auto_inode struct mkv_inode *device =
		mkv_inode_new(S_IFCHR, 0, 0, mtime_s);
	if (!device)
		return mkv_oom(err);
	return mkv_tree_put(copy->root, copy->path.data, device, err);
}

/* The mark of a copied inode is its copy, for further names of it. */
static int copy_entry(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	struct copy *copy = context;
	const char *name = NULL;
	int rc = target_path(copy, path, &name, err);
	if (rc < 0)
		return rc;
	if (path[1] && strncmp(name, whiteout, strlen(whiteout)) == 0)
		return put_whiteout(copy, name, inode->mtime_s, err);
	if (inode->mark)
		return mkv_tree_put(copy->root, copy->path.data,
				    (struct mkv_inode *)(uintptr_t)inode->mark,
				    err);
	auto_inode struct mkv_inode *twin = NULL;
	rc = mkv_inode_copy(inode, &twin, err);
	if (rc == 0)
		rc = mkv_tree_put(copy->root, copy->path.data, twin, err);
	if (rc == 0 && !S_ISDIR(inode->mode))
		inode->mark = (uint64_t)(uintptr_t)twin;
	return rc;
}

int mkv_docker_layer_put(struct mkv_tree *root, const char *folder,
			 const struct mkv_tree *layer, struct mkv_error *err)
{
	struct copy copy = {root, folder, {0}};
	int rc = mkv_tree_walk(layer, clear_mark, NULL, err);
	if (rc == 0)
		rc = mkv_tree_walk(layer, copy_entry, &copy, err);
	mkv_buf_done(&copy.path);
	return rc;
}

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/core/tree/tree_internal.h"

struct mkv_inode *mkv_inode_new(mode_t mode, uint32_t uid, uint32_t gid,
				int64_t mtime_s)
{
	struct mkv_inode *inode = calloc(1, sizeof(*inode));
	if (!inode)
		return NULL;
	inode->references = 1;
	inode->mode = mode;
	inode->uid = uid;
	inode->gid = gid;
	inode->mtime_s = mtime_s;
	if (S_ISDIR(mode)) {
		inode->children = calloc(1, sizeof(*inode->children));
		if (!inode->children) {
			free(inode);
			return NULL;
		}
	}
	return inode;
}

struct mkv_inode *mkv_inode_file(mode_t permissions, uint32_t uid, uint32_t gid,
				 int64_t mtime_s, struct mkv_content *content)
{
	struct mkv_inode *inode = mkv_inode_new(S_IFREG | (permissions & 07777),
						uid, gid, mtime_s);
	if (inode)
		inode->content = content;
	return inode;
}

struct mkv_inode *mkv_inode_symlink(const char *target, uint32_t uid,
				    uint32_t gid, int64_t mtime_s)
{
	auto_inode struct mkv_inode *inode =
		mkv_inode_new(S_IFLNK | 0777, uid, gid, mtime_s);
	if (!inode)
		return NULL;
	inode->target = strdup(target);
	return inode->target ? mkv_take(inode) : NULL;
}

void mkv_inode_unref(struct mkv_inode *inode)
{
	if (!inode || --inode->references > 0)
		return;
	for (size_t i = 0; inode->children && i < inode->children->count; i++) {
		free(inode->children->entries[i].name);
		mkv_inode_unref(inode->children->entries[i].inode);
	}
	if (inode->children)
		free(inode->children->entries);
	free(inode->children);
	for (size_t i = 0; i < inode->n_xattrs; i++) {
		free(inode->xattrs[i].name);
		free(inode->xattrs[i].value);
	}
	free(inode->xattrs);
	free(inode->target);
	mkv_content_unref(inode->content);
	free(inode);
}

static int insert_xattr(struct mkv_inode *inode, struct mkv_xattr xattr)
{
	struct mkv_xattr *grown = reallocarray(
		inode->xattrs, inode->n_xattrs + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	inode->xattrs = grown;
	size_t at = inode->n_xattrs++;
	for (; at > 0 && strcmp(grown[at - 1].name, xattr.name) > 0; at--)
		grown[at] = grown[at - 1];
	grown[at] = xattr;
	return 0;
}

int mkv_inode_set_xattr(struct mkv_inode *inode, const char *name,
			const void *value, size_t size, struct mkv_error *err)
{
	auto_free uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		return mkv_oom(err);
	if (size)
		memcpy(copy, value, size);
	for (size_t i = 0; i < inode->n_xattrs; i++) {
		if (strcmp(inode->xattrs[i].name, name) != 0)
			continue;
		free(inode->xattrs[i].value);
		inode->xattrs[i].value = mkv_take(copy);
		inode->xattrs[i].size = size;
		return 0;
	}
	auto_free char *own_name = strdup(name);
	if (!own_name ||
	    insert_xattr(inode, (struct mkv_xattr){own_name, copy, size}) < 0)
		return mkv_oom(err);
	own_name = NULL;
	copy = NULL;
	return 0;
}

const struct mkv_tree_entry *mkv_inode_children(const struct mkv_inode *inode,
						size_t *ret_count)
{
	*ret_count = inode->children ? inode->children->count : 0;
	return inode->children ? inode->children->entries : NULL;
}

int mkv_inode_copy_xattrs(const struct mkv_inode *from, struct mkv_inode *to,
			  struct mkv_error *err)
{
	for (size_t i = 0; i < from->n_xattrs; i++) {
		const struct mkv_xattr *xattr = &from->xattrs[i];
		int rc = mkv_inode_set_xattr(to, xattr->name, xattr->value,
					     xattr->size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_inode_copy(const struct mkv_inode *from, struct mkv_inode **ret,
		   struct mkv_error *err)
{
	auto_inode struct mkv_inode *copy =
		mkv_inode_new(from->mode, from->uid, from->gid, from->mtime_s);
	if (!copy)
		return mkv_oom(err);
	copy->major = from->major;
	copy->minor = from->minor;
	if (from->target && !(copy->target = strdup(from->target)))
		return mkv_oom(err);
	if (from->content)
		copy->content = mkv_content_ref(from->content);
	int rc = mkv_inode_copy_xattrs(from, copy, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(copy);
	return 0;
}

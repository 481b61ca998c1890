/* SPDX-License-Identifier: MIT */
#pragma once
/* The file tree in memory. Packages, overlays, generated files and
 * normalisation edit trees; writers of formats only read them.
 *
 * A path is absolute in the tree, "/usr/bin/env", without ".", "..", empty
 * components or a trailing slash; the root is "/". Symbolic links are entries
 * and never followed: a path through a link is an error that names the link's
 * target. Names are at most 255 bytes; every walk visits them in ascending byte
 * order. */

#include <sys/stat.h>
#include <sys/types.h>

#include "builder/core/tree/content.h"

struct mkv_xattr {
	char *name; /* with its prefix, "security.capability" */
	uint8_t *value;
	size_t size;
};

struct mkv_directory;

/* Has a refcount: a hard link is a second entry with the same inode. */
struct mkv_inode {
	unsigned entries; /* how many entries of the tree name the inode: the
			     link count of a non-directory */
	unsigned references;
	mode_t mode; /* S_IFMT type and permission bits */
	uint32_t uid;
	uint32_t gid;
	int64_t mtime_s; /* since the epoch; nanoseconds are always 0 */
	uint32_t major;	 /* of a device */
	uint32_t minor;
	char *target;		     /* of a symbolic link */
	struct mkv_content *content; /* of a regular file; never NULL there */
	struct mkv_xattr *xattrs;    /* sorted by name */
	size_t n_xattrs;
	struct mkv_directory *children; /* of a directory */
	uint64_t mark; /* scratch for one user at a time, e.g. an inode
			  number; cleared by mkv_tree_clear_marks() */
};

/* A new inode with one reference, the caller's; NULL when out of memory. */
struct mkv_inode *mkv_inode_new(mode_t mode, uint32_t uid, uint32_t gid,
				int64_t mtime_s) mkv_must_check;
/* Likewise; mkv_inode_file() takes ownership of `content` only on success. */
struct mkv_inode *mkv_inode_file(mode_t permissions, uint32_t uid, uint32_t gid,
				 int64_t mtime_s,
				 struct mkv_content *content) mkv_must_check
	mkv_nonnull(5);
struct mkv_inode *mkv_inode_symlink(const char *target, uint32_t uid,
				    uint32_t gid,
				    int64_t mtime_s) mkv_must_check
	mkv_nonnull(1);
void mkv_inode_unref(struct mkv_inode *inode);
MKV_DEFINE_AUTO(inode, struct mkv_inode *, mkv_inode_unref)
#define auto_inode mkv_auto(inode)
/* Copies an inode without a directory's entries; shares the content. */
int mkv_inode_copy(const struct mkv_inode *from, struct mkv_inode **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Sets or replaces one extended attribute; copies name and value. */
int mkv_inode_set_xattr(struct mkv_inode *inode, const char *name,
			const void *value, size_t size,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 5);

struct mkv_tree;
/* A tree that holds only its root, 0755 root:root, at the given time. */
int mkv_tree_new(int64_t mtime_s, struct mkv_tree **ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
void mkv_tree_free(struct mkv_tree *tree);
MKV_DEFINE_AUTO(tree, struct mkv_tree *, mkv_tree_free)
#define auto_tree mkv_auto(tree)
/* An independent tree that shares only contents. */
int mkv_tree_clone(const struct mkv_tree *tree, struct mkv_tree **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

struct mkv_inode *mkv_tree_root(const struct mkv_tree *tree) mkv_nonnull(1);
size_t mkv_tree_count(const struct mkv_tree *tree)
	mkv_nonnull(1); /* entries, without the root */

/* The inode at a path, borrowed, or NULL. */
struct mkv_inode *mkv_tree_lookup(const struct mkv_tree *tree, const char *path)
	mkv_nonnull(1, 2);

/* Adds an entry for an inode at a path. The inode is new, or an inode of the
 * tree that gets a hard link; the tree takes a reference of its own. The parent
 * must be a directory of the tree. An existing entry is replaced, but a
 * directory that is not empty is -EEXIST. */
int mkv_tree_put(struct mkv_tree *tree, const char *path,
		 struct mkv_inode *inode, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* mkdir -p: missing directories become 0755 root:root at the tree's time. */
int mkv_tree_make_dirs(struct mkv_tree *tree, const char *path,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Makes the parents and puts a regular file with these bytes, root:root. */
int mkv_tree_put_file(struct mkv_tree *tree, const char *path,
		      mode_t permissions, const void *data, size_t size,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 6);
int mkv_tree_put_symlink(struct mkv_tree *tree, const char *path,
			 const char *target,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Removes a path with everything below; false when the path does not exist. */
bool mkv_tree_remove(struct mkv_tree *tree, const char *path) mkv_nonnull(1, 2);

/* Called for each entry of a walk. `path` is valid only during the call. */
typedef int mkv_tree_visit(const char *path, struct mkv_inode *inode,
			   void *context, struct mkv_error *err);
/* Visits every entry, the root first, a directory before its entries, names in
 * byte order. The first negative result of the visitor stops the walk and is
 * returned. The visitor must not add or remove entries. */
int mkv_tree_walk(const struct mkv_tree *tree, mkv_tree_visit *visit,
		  void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
/* Sets the mark of every inode to 0. */
void mkv_tree_clear_marks(const struct mkv_tree *tree) mkv_nonnull(1);

/* The entries of a directory in byte order, borrowed; none for other inodes.
 * For writers that go level by level. */
struct mkv_tree_entry {
	char *name;
	struct mkv_inode *inode;
};
const struct mkv_tree_entry *mkv_inode_children(const struct mkv_inode *inode,
						size_t *ret_count)
	mkv_nonnull(1, 2);

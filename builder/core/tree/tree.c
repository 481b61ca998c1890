/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/core/tree/tree_internal.h"
#include "lib/buf.h"

struct mkv_tree {
	struct mkv_inode *root;
	int64_t mtime_s;
	size_t count;
};

enum { NAME_LIMIT = 255, PATH_LIMIT = 4095 };

int mkv_tree_new(int64_t mtime_s, struct mkv_tree **ret, struct mkv_error *err)
{
	auto_tree struct mkv_tree *tree = calloc(1, sizeof(*tree));
	if (!tree)
		return mkv_oom(err);
	tree->mtime_s = mtime_s;
	tree->root = mkv_inode_new(S_IFDIR | 0755, 0, 0, mtime_s);
	if (!tree->root)
		return mkv_oom(err);
	tree->root->entries = 1;
	*ret = mkv_take(tree);
	return 0;
}

void mkv_tree_free(struct mkv_tree *tree)
{
	if (!tree)
		return;
	mkv_inode_unref(tree->root);
	free(tree);
}

struct mkv_inode *mkv_tree_root(const struct mkv_tree *tree)
{
	return tree->root;
}

size_t mkv_tree_count(const struct mkv_tree *tree)
{
	return tree->count;
}

static int compare_name(const char *name, size_t length, const char *entry)
{
	int order = strncmp(name, entry, length);
	if (order != 0)
		return order;
	return entry[length] == '\0' ? 0 : -1;
}

/* Where the name stands, or belongs; true when it is there. */
static bool find(const struct mkv_directory *dir, const char *name,
		 size_t length, size_t *ret_at)
{
	size_t low = 0, high = dir->count;
	/* Most insertions come in ascending order. */
	if (high > 0 &&
	    compare_name(name, length, dir->entries[high - 1].name) > 0)
		low = high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order =
			compare_name(name, length, dir->entries[middle].name);
		if (order == 0) {
			*ret_at = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_at = low;
	return false;
}

static bool is_valid_path(const char *path)
{
	if (path[0] != '/' || strlen(path) > PATH_LIMIT)
		return false;
	if (path[1] == '\0')
		return true;
	for (const char *at = path; *at;) {
		at++;
		size_t length = strcspn(at, "/");
		if (length == 0 || length > NAME_LIMIT)
			return false;
		if ((length == 1 && at[0] == '.') ||
		    (length == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += length;
	}
	return true;
}

struct mkv_inode *mkv_tree_lookup(const struct mkv_tree *tree, const char *path)
{
	if (!is_valid_path(path))
		return NULL;
	struct mkv_inode *inode = tree->root;
	for (const char *at = path + 1; *at;) {
		size_t length = strcspn(at, "/");
		size_t index;
		if (!inode->children ||
		    !find(inode->children, at, length, &index))
			return NULL;
		inode = inode->children->entries[index].inode;
		at += length + (at[length] == '/');
	}
	return inode;
}

/* The directory that holds the last component of a valid path that isn't "/",
 * and that component. */
static int find_parent(const struct mkv_tree *tree, const char *path,
		       struct mkv_inode **ret, const char **ret_name,
		       struct mkv_error *err)
{
	if (!is_valid_path(path) || path[1] == '\0')
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not a path of a tree", path);
	struct mkv_inode *inode = tree->root;
	const char *at = path + 1;
	for (;;) {
		size_t length = strcspn(at, "/");
		if (at[length] == '\0')
			break;
		size_t index;
		int upto = (int)(at + length - path);
		if (!find(inode->children, at, length, &index))
			return mkv_fail(err, MKV_FAILED, ENOENT,
					"'%s': there is no '%.*s'", path, upto,
					path);
		inode = inode->children->entries[index].inode;
		if (S_ISLNK(inode->mode))
			return mkv_fail(err, MKV_FAILED, ENOTDIR,
					"'%s': '%.*s' is a link to '%s'", path,
					upto, path, inode->target);
		if (!inode->children)
			return mkv_fail(err, MKV_FAILED, ENOTDIR,
					"'%s': '%.*s' is not a folder", path,
					upto, path);
		at += length + 1;
	}
	*ret = inode;
	*ret_name = at;
	return 0;
}

static size_t count_below(const struct mkv_inode *inode)
{
	size_t count = 0;
	for (size_t i = 0; inode->children && i < inode->children->count; i++)
		count += 1 + count_below(inode->children->entries[i].inode);
	return count;
}

/* The entry counts of all that goes when an entry goes. */
static void drop_entries(struct mkv_inode *inode)
{
	inode->entries--;
	for (size_t i = 0; inode->children && i < inode->children->count; i++)
		drop_entries(inode->children->entries[i].inode);
}

static int insert(struct mkv_directory *dir, size_t at, const char *name,
		  struct mkv_inode *inode, struct mkv_error *err)
{
	if (dir->count == dir->capacity) {
		size_t capacity = dir->capacity ? dir->capacity * 2 : 8;
		struct mkv_tree_entry *grown =
			reallocarray(dir->entries, capacity, sizeof(*grown));
		if (!grown)
			return mkv_oom(err);
		dir->entries = grown;
		dir->capacity = capacity;
	}
	char *own_name = strdup(name);
	if (!own_name)
		return mkv_oom(err);
	memmove(dir->entries + at + 1, dir->entries + at,
		(dir->count - at) * sizeof(*dir->entries));
	dir->entries[at] = (struct mkv_tree_entry){own_name, inode};
	dir->count++;
	return 0;
}

int mkv_tree_put(struct mkv_tree *tree, const char *path,
		 struct mkv_inode *inode, struct mkv_error *err)
{
	struct mkv_inode *parent;
	const char *name;
	int rc = find_parent(tree, path, &parent, &name, err);
	if (rc < 0)
		return rc;
	if (inode->children && (inode->entries || inode->children->count))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s': a folder is put empty and once", path);
	size_t at;
	if (!find(parent->children, name, strlen(name), &at)) {
		rc = insert(parent->children, at, name, inode, err);
		if (rc < 0)
			return rc;
		tree->count++;
	} else {
		struct mkv_inode *old = parent->children->entries[at].inode;
		if (old->children && old->children->count)
			return mkv_fail(err, MKV_FAILED, EEXIST,
					"'%s' is a folder that is not empty",
					path);
		parent->children->entries[at].inode = inode;
		old->entries--;
		inode->references++;
		inode->entries++;
		mkv_inode_unref(old);
		return 0;
	}
	inode->references++;
	inode->entries++;
	return 0;
}

int mkv_tree_make_dirs(struct mkv_tree *tree, const char *path,
		       struct mkv_error *err)
{
	if (!is_valid_path(path))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not a path of a tree", path);
	auto_free char *partial = strdup(path);
	if (!partial)
		return mkv_oom(err);
	for (char *at = partial + 1; partial[1]; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		char end = *at;
		*at = '\0';
		const struct mkv_inode *there = mkv_tree_lookup(tree, partial);
		if (!there) {
			auto_inode struct mkv_inode *dir = mkv_inode_new(
				S_IFDIR | 0755, 0, 0, tree->mtime_s);
			if (!dir)
				return mkv_oom(err);
			int rc = mkv_tree_put(tree, partial, dir, err);
			if (rc < 0)
				return rc;
		} else if (!there->children) {
			return mkv_fail(err, MKV_FAILED, ENOTDIR,
					"'%s': '%s' is %s%s", path, partial,
					S_ISLNK(there->mode) ? "a link to "
							     : "not a folder",
					there->target ? there->target : "");
		}
		*at = end;
		if (end == '\0')
			break;
	}
	return 0;
}

static int make_parents(struct mkv_tree *tree, const char *path,
			struct mkv_error *err)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return 0;
	auto_free char *parent = strndup(path, (size_t)(slash - path));
	if (!parent)
		return mkv_oom(err);
	return mkv_tree_make_dirs(tree, parent, err);
}

int mkv_tree_put_file(struct mkv_tree *tree, const char *path,
		      mode_t permissions, const void *data, size_t size,
		      struct mkv_error *err)
{
	int rc = make_parents(tree, path, err);
	if (rc < 0)
		return rc;
	auto_content struct mkv_content *content =
		mkv_content_bytes(data, size);
	if (!content)
		return mkv_oom(err);
	auto_inode struct mkv_inode *inode =
		mkv_inode_file(permissions, 0, 0, tree->mtime_s, content);
	if (!inode)
		return mkv_oom(err);
	content = NULL; /* the inode's now */
	return mkv_tree_put(tree, path, inode, err);
}

int mkv_tree_put_symlink(struct mkv_tree *tree, const char *path,
			 const char *target, struct mkv_error *err)
{
	int rc = make_parents(tree, path, err);
	if (rc < 0)
		return rc;
	auto_inode struct mkv_inode *inode =
		mkv_inode_symlink(target, 0, 0, tree->mtime_s);
	if (!inode)
		return mkv_oom(err);
	return mkv_tree_put(tree, path, inode, err);
}

bool mkv_tree_remove(struct mkv_tree *tree, const char *path)
{
	struct mkv_inode *parent;
	const char *name;
	struct mkv_error ignored;
	size_t at;
	if (find_parent(tree, path, &parent, &name, &ignored) < 0 ||
	    !find(parent->children, name, strlen(name), &at))
		return false;
	struct mkv_directory *dir = parent->children;
	struct mkv_tree_entry gone = dir->entries[at];
	dir->count--;
	memmove(dir->entries + at, dir->entries + at + 1,
		(dir->count - at) * sizeof(*dir->entries));
	tree->count -= 1 + count_below(gone.inode);
	drop_entries(gone.inode);
	free(gone.name);
	mkv_inode_unref(gone.inode);
	return true;
}

static int walk(struct mkv_inode *inode, struct mkv_buf *path,
		mkv_tree_visit *visit, void *context, struct mkv_error *err)
{
	int rc = mkv_buf_check(path, err);
	if (rc == 0)
		rc = visit(path->data, inode, context, err);
	if (rc < 0 || !inode->children)
		return rc;
	size_t length = path->size;
	for (size_t i = 0; i < inode->children->count; i++) {
		const struct mkv_tree_entry *entry =
			&inode->children->entries[i];
		if (length > 1)
			mkv_buf_char(path, '/');
		mkv_buf_str(path, entry->name);
		rc = walk(entry->inode, path, visit, context, err);
		if (rc < 0)
			return rc;
		path->size = length;
		path->data[length] = '\0';
	}
	return 0;
}

int mkv_tree_walk(const struct mkv_tree *tree, mkv_tree_visit *visit,
		  void *context, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_char(&path, '/');
	return walk(tree->root, &path, visit, context, err);
}

static int clear_mark(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	(void)path, (void)context, (void)err;
	inode->mark = 0;
	return 0;
}

/* Copies one inode, or links to the copy made before: meanwhile an original's
 * mark holds its copy. */
static int clone_entry(const char *path, struct mkv_inode *inode, void *context,
		       struct mkv_error *err)
{
	struct mkv_tree *into = context;
	if (path[1] == '\0') {
		auto_inode struct mkv_inode *root = NULL;
		int rc = mkv_inode_copy(inode, &root, err);
		if (rc < 0)
			return rc;
		root->entries = 1;
		mkv_inode_unref(into->root);
		into->root = mkv_take(root);
		return 0;
	}
	if (inode->mark)
		return mkv_tree_put(into, path,
				    (struct mkv_inode *)(uintptr_t)inode->mark,
				    err);
	auto_inode struct mkv_inode *copy = NULL;
	int rc = mkv_inode_copy(inode, &copy, err);
	if (rc == 0)
		rc = mkv_tree_put(into, path, copy, err);
	if (rc == 0)
		inode->mark = (uint64_t)(uintptr_t)copy;
	return rc;
}

int mkv_tree_clone(const struct mkv_tree *tree, struct mkv_tree **ret,
		   struct mkv_error *err)
{
	auto_tree struct mkv_tree *copy = NULL;
	int rc = mkv_tree_new(tree->mtime_s, &copy, err);
	if (rc == 0)
		rc = mkv_tree_walk(tree, clear_mark, NULL, err);
	if (rc == 0)
		rc = mkv_tree_walk(tree, clone_entry, copy, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(copy);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/core/tree/tree_internal.h"
#include "lib/buf.h"

struct mkv_tree {
	struct mkv_inode *root;
	int64_t mtime_s;
	size_t count;
};

enum { NAME_MAX_BYTES = 255, PATH_MAX_BYTES = 4095 };

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

/* True when the directory has the name; *ret_at is its index or, if missing,
 * the index for its insertion. */
static bool find_entry(const struct mkv_directory *dir, const char *name,
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
	if (path[0] != '/' || strlen(path) > PATH_MAX_BYTES)
		return false;
	if (path[1] == '\0')
		return true;
	for (const char *at = path; *at;) {
		at++;
		size_t length = strcspn(at, "/");
		if (length == 0 || length > NAME_MAX_BYTES)
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
		    !find_entry(inode->children, at, length, &index))
			return NULL;
		inode = inode->children->entries[index].inode;
		at += length + (at[length] == '/');
	}
	return inode;
}

static int fail_not_directory(const char *path, int prefix_length,
			      const struct mkv_inode *inode,
			      struct mkv_error *err)
{
	if (S_ISLNK(inode->mode))
		return mkv_fail(err, MKV_FAILED, ENOTDIR,
				"'%s': '%.*s' is a link to '%s'", path,
				prefix_length, path, inode->target);
	return mkv_fail(err, MKV_FAILED, ENOTDIR,
			"'%s': '%.*s' is not a directory", path, prefix_length,
			path);
}

/* The parent directory of a valid path other than "/", and the path's last
 * component. */
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
		if (!find_entry(inode->children, at, length, &index))
			return mkv_fail(err, MKV_FAILED, ENOENT,
					"'%s': '%.*s' is missing", path, upto,
					path);
		inode = inode->children->entries[index].inode;
		if (!inode->children)
			return fail_not_directory(path, upto, inode, err);
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

/* Updates the entry counts of an inode, and of all below, for its removal. */
static void drop_entries(struct mkv_inode *inode)
{
	inode->entries--;
	for (size_t i = 0; inode->children && i < inode->children->count; i++)
		drop_entries(inode->children->entries[i].inode);
}

static int insert_entry(struct mkv_directory *dir, size_t at, const char *name,
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
				"'%s': only a new, empty directory can be put",
				path);
	size_t at;
	struct mkv_inode *old = NULL;
	if (find_entry(parent->children, name, strlen(name), &at)) {
		old = parent->children->entries[at].inode;
		if (old->children && old->children->count)
			return mkv_fail(err, MKV_FAILED, EEXIST,
					"'%s' is a directory that is not empty",
					path);
		parent->children->entries[at].inode = inode;
		old->entries--;
	} else {
		rc = insert_entry(parent->children, at, name, inode, err);
		if (rc < 0)
			return rc;
		tree->count++;
	}
	inode->references++;
	inode->entries++;
	mkv_inode_unref(old);
	return 0;
}

/* `dir` is a prefix of `path`, which messages name. */
static int make_dir(struct mkv_tree *tree, const char *path, const char *dir,
		    struct mkv_error *err)
{
	const struct mkv_inode *existing = mkv_tree_lookup(tree, dir);
	if (existing && !existing->children)
		return fail_not_directory(path, (int)strlen(dir), existing,
					  err);
	if (existing)
		return 0;
	auto_inode struct mkv_inode *inode =
		mkv_inode_new(S_IFDIR | 0755, 0, 0, tree->mtime_s);
	if (!inode)
		return mkv_oom(err);
	return mkv_tree_put(tree, dir, inode, err);
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
		int rc = make_dir(tree, path, partial, err);
		if (rc < 0)
			return rc;
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
	content = NULL; /* owned by the inode now */
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
	    !find_entry(parent->children, name, strlen(name), &at))
		return false;
	struct mkv_directory *dir = parent->children;
	struct mkv_tree_entry removed = dir->entries[at];
	dir->count--;
	memmove(dir->entries + at, dir->entries + at + 1,
		(dir->count - at) * sizeof(*dir->entries));
	tree->count -= 1 + count_below(removed.inode);
	drop_entries(removed.inode);
	free(removed.name);
	mkv_inode_unref(removed.inode);
	return true;
}

static int walk_inode(struct mkv_inode *inode, struct mkv_buf *path,
		      mkv_tree_visit *visit, void *context,
		      struct mkv_error *err)
{
	int rc = mkv_buf_check(path, err);
	if (rc < 0)
		return rc;
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
		rc = walk_inode(entry->inode, path, visit, context, err);
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
	return walk_inode(tree->root, &path, visit, context, err);
}

static void clear_marks(struct mkv_inode *inode)
{
	inode->mark = 0;
	for (size_t i = 0; inode->children && i < inode->children->count; i++)
		clear_marks(inode->children->entries[i].inode);
}

void mkv_tree_clear_marks(const struct mkv_tree *tree)
{
	clear_marks(tree->root);
}

/* The mark of an original points to its copy, which further names become hard
 * links to. */
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
	if (rc < 0)
		return rc;
	rc = mkv_tree_put(into, path, copy, err);
	if (rc < 0)
		return rc;
	inode->mark = (uint64_t)(uintptr_t)copy;
	return 0;
}

int mkv_tree_clone(const struct mkv_tree *tree, struct mkv_tree **ret,
		   struct mkv_error *err)
{
	auto_tree struct mkv_tree *copy = NULL;
	int rc = mkv_tree_new(tree->mtime_s, &copy, err);
	if (rc < 0)
		return rc;
	mkv_tree_clear_marks(tree);
	rc = mkv_tree_walk(tree, clone_entry, copy, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(copy);
	return 0;
}

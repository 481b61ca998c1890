/* SPDX-License-Identifier: MIT */
#include "builder/core/tree/diff.h"

#include <string.h>

#include "builder/core/tree/tree_internal.h"
#include "lib/buf.h"

static const char whiteout[] = ".wh.";

/* Paths, each followed by its NUL. */
struct changes {
	struct mkv_buf removed;
	struct mkv_buf changed; /* in the top tree */
};

static void changes_done(struct changes *changes)
{
	mkv_buf_done(&changes->removed);
	mkv_buf_done(&changes->changed);
}

static int note_change(const char *path, enum mkv_tree_difference what,
		       struct mkv_inode *a, struct mkv_inode *b, void *context,
		       struct mkv_error *err)
{
	struct changes *changes = context;
	(void)a, (void)b;
	struct mkv_buf *into =
		what == MKV_ONLY_IN_A ? &changes->removed : &changes->changed;
	mkv_buf_add(into, path, strlen(path) + 1);
	return mkv_buf_check(into, err);
}

/* Mark 1 selects an inode, with all its names, for the layer. */
static void mark_below(struct mkv_inode *inode)
{
	size_t count;
	const struct mkv_tree_entry *entries =
		mkv_inode_children(inode, &count);
	inode->mark = 1;
	for (size_t i = 0; i < count; i++)
		mark_below(entries[i].inode);
}

/* Of a directory that `base` has too only the directory itself changed; a new
 * directory is in the layer with everything below. */
static void mark_changed(const struct mkv_tree *base,
			 const struct mkv_tree *top,
			 const struct mkv_buf *changed)
{
	for (size_t at = 0; at < changed->size;
	     at += strlen(changed->data + at) + 1) {
		const char *path = changed->data + at;
		struct mkv_inode *now = mkv_tree_lookup(top, path);
		const struct mkv_inode *before = mkv_tree_lookup(base, path);
		if (before && before->children && now->children)
			now->mark = 1;
		else
			mark_below(now);
	}
}

/* Puts the parent directories of a path, as they are in the top tree. */
static int put_parents(struct mkv_tree *layer, const struct mkv_tree *top,
		       const char *path, struct mkv_error *err)
{
	auto_free char *partial = strdup(path);
	if (!partial)
		return mkv_oom(err);
	for (char *at = partial + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		if (mkv_tree_lookup(layer, partial))
			continue;
		const struct mkv_inode *from = mkv_tree_lookup(top, partial);
		auto_inode struct mkv_inode *copy = NULL;
		int rc = mkv_inode_copy(from, &copy, err);
		if (rc < 0)
			return rc;
		rc = mkv_tree_put(layer, partial, copy, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

struct layering {
	struct mkv_tree *layer;
	const struct mkv_tree *top;
};

/* Once an inode is in the layer, its mark points to the copy, for hard links.
 */
static int put_marked(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	struct layering *layering = context;
	if (!inode->mark || path[1] == '\0')
		return 0;
	const char *name = strrchr(path, '/') + 1;
	if (strncmp(name, whiteout, sizeof(whiteout) - 1) == 0)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s': an OCI layer can't contain a name that "
				"begins with '%s'",
				path, whiteout);
	int rc = put_parents(layering->layer, layering->top, path, err);
	if (rc < 0)
		return rc;
	if (inode->mark != 1)
		return mkv_tree_put(layering->layer, path,
				    (struct mkv_inode *)(uintptr_t)inode->mark,
				    err);
	auto_inode struct mkv_inode *copy = NULL;
	rc = mkv_inode_copy(inode, &copy, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_put(layering->layer, path, copy, err);
	if (rc < 0)
		return rc;
	inode->mark = (uint64_t)(uintptr_t)copy;
	return 0;
}

static int put_whiteout(struct layering *layering, const char *path,
			struct mkv_error *err)
{
	const char *name = strrchr(path, '/') + 1;
	auto_free char *instead = NULL;
	if (asprintf(&instead, "%.*s%s%s", (int)(name - path), path, whiteout,
		     name) < 0)
		return mkv_oom(err);
	auto_content struct mkv_content *empty = mkv_content_bytes("", 0);
	if (!empty)
		return mkv_oom(err);
	auto_inode struct mkv_inode *inode = mkv_inode_file(
		0, 0, 0, mkv_tree_root(layering->top)->mtime_s, empty);
	if (!inode)
		return mkv_oom(err);
	empty = NULL; /* owned by the inode now */
	int rc = put_parents(layering->layer, layering->top, path, err);
	if (rc < 0)
		return rc;
	return mkv_tree_put(layering->layer, instead, inode, err);
}

static int put_whiteouts(struct layering *layering,
			 const struct mkv_buf *removed, struct mkv_error *err)
{
	for (size_t at = 0; at < removed->size;
	     at += strlen(removed->data + at) + 1) {
		const char *path = removed->data + at;
		int rc = put_whiteout(layering, path, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "whiteout of '%s'", path);
	}
	return 0;
}

static int copy_root(const struct mkv_inode *from, struct mkv_inode *to,
		     struct mkv_error *err)
{
	to->mode = from->mode;
	to->uid = from->uid;
	to->gid = from->gid;
	return mkv_inode_copy_xattrs(from, to, err);
}

int mkv_tree_diff(const struct mkv_tree *base, const struct mkv_tree *top,
		  struct mkv_tree **ret_layer, struct mkv_error *err)
{
	__attribute__((cleanup(changes_done))) struct changes changes = {0};
	auto_tree struct mkv_tree *layer = NULL;
	int rc = mkv_tree_compare(base, top, note_change, &changes, err);
	if (rc < 0)
		return rc;
	mkv_tree_clear_marks(base);
	mkv_tree_clear_marks(top);
	mark_changed(base, top, &changes.changed);
	rc = mkv_tree_new(mkv_tree_root(top)->mtime_s, &layer, err);
	if (rc < 0)
		return rc;
	rc = copy_root(mkv_tree_root(top), mkv_tree_root(layer), err);
	if (rc < 0)
		return rc;
	struct layering layering = {layer, top};
	rc = mkv_tree_walk(top, put_marked, &layering, err);
	if (rc < 0)
		return rc;
	rc = put_whiteouts(&layering, &changes.removed, err);
	if (rc < 0)
		return rc;
	*ret_layer = mkv_take(layer);
	return 0;
}

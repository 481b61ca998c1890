/* SPDX-License-Identifier: MIT */
#include "builder/core/tree/diff.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/strings.h"

const char *mkv_tree_difference_name(enum mkv_tree_difference what)
{
	static const char *const names[] = {
		[MKV_ONLY_IN_A] = "only in the first",
		[MKV_ONLY_IN_B] = "only in the second",
		[MKV_DIFFERENT_TYPE] = "type",
		[MKV_DIFFERENT_SIZE] = "size",
		[MKV_DIFFERENT_CONTENT] = "content",
		[MKV_DIFFERENT_TARGET] = "link target",
		[MKV_DIFFERENT_DEVICE] = "device",
		[MKV_DIFFERENT_LINKS] = "hard links",
		[MKV_DIFFERENT_MODE] = "mode",
		[MKV_DIFFERENT_OWNER] = "owner",
		[MKV_DIFFERENT_XATTRS] = "extended attributes",
		[MKV_DIFFERENT_MTIME] = "time",
	};
	return names[what];
}

static int note_first_path(const char *path, struct mkv_inode *inode,
			   void *context, struct mkv_error *err)
{
	struct mkv_strings *firsts = context;
	if (inode->entries < 2 || inode->mark)
		return 0;
	int rc = mkv_strings_append(firsts, strdup(path), err);
	if (rc < 0)
		return rc;
	inode->mark = firsts->count;
	return 0;
}

/* All marks are cleared before the first is set: the trees may share inodes, or
 * even be one tree. */
static int find_first_paths(const struct mkv_tree *a, const struct mkv_tree *b,
			    struct mkv_strings *firsts, struct mkv_error *err)
{
	mkv_tree_clear_marks(a);
	mkv_tree_clear_marks(b);
	int rc = mkv_tree_walk(a, note_first_path, firsts, err);
	return rc < 0 ? rc : mkv_tree_walk(b, note_first_path, firsts, err);
}

struct comparison {
	struct mkv_strings firsts; /* first paths of inodes with several names;
				      an inode's mark is its index plus 1 */
	struct mkv_buf path;
	mkv_tree_differs *differs;
	void *context;
};

static void comparison_done(struct comparison *comparison)
{
	mkv_strings_done(&comparison->firsts);
	mkv_buf_done(&comparison->path);
}

static int report_difference(struct comparison *comparison,
			     enum mkv_tree_difference what, struct mkv_inode *a,
			     struct mkv_inode *b, struct mkv_error *err)
{
	return comparison->differs(comparison->path.data, what, a, b,
				   comparison->context, err);
}

static bool have_same_xattrs(const struct mkv_inode *a,
			     const struct mkv_inode *b)
{
	if (a->n_xattrs != b->n_xattrs)
		return false;
	for (size_t i = 0; i < a->n_xattrs; i++) {
		const struct mkv_xattr *x = &a->xattrs[i], *y = &b->xattrs[i];
		if (strcmp(x->name, y->name) != 0 || x->size != y->size ||
		    (x->size && memcmp(x->value, y->value, x->size) != 0))
			return false;
	}
	return true;
}

/* Comparing the number of names and the first name is enough: the comparison
 * visits every name. */
static bool have_same_links(const struct mkv_strings *firsts,
			    const struct mkv_inode *a,
			    const struct mkv_inode *b)
{
	if (a->children || a->entries != b->entries)
		return a->children != NULL;
	if (!a->mark || !b->mark)
		return a->mark == b->mark;
	return strcmp(firsts->items[a->mark - 1], firsts->items[b->mark - 1]) ==
	       0;
}

static int compare_contents(struct comparison *comparison, struct mkv_inode *a,
			    struct mkv_inode *b, struct mkv_error *err)
{
	if (a->content == b->content)
		return 0;
	if (mkv_content_size(a->content) != mkv_content_size(b->content))
		return report_difference(comparison, MKV_DIFFERENT_SIZE, a, b,
					 err);
	struct mkv_sha256 x, y;
	int rc = mkv_content_sha256(a->content, &x, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", comparison->path.data);
	rc = mkv_content_sha256(b->content, &y, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", comparison->path.data);
	if (mkv_sha256_equal(&x, &y))
		return 0;
	return report_difference(comparison, MKV_DIFFERENT_CONTENT, a, b, err);
}

static int compare_inodes(struct comparison *comparison, struct mkv_inode *a,
			  struct mkv_inode *b, struct mkv_error *err)
{
	const struct {
		bool differs;
		enum mkv_tree_difference what;
	} rows[] = {
		{a->target && strcmp(a->target, b->target) != 0,
		 MKV_DIFFERENT_TARGET},
		{a->major != b->major || a->minor != b->minor,
		 MKV_DIFFERENT_DEVICE},
		{!have_same_links(&comparison->firsts, a, b),
		 MKV_DIFFERENT_LINKS},
		{a->mode != b->mode, MKV_DIFFERENT_MODE},
		{a->uid != b->uid || a->gid != b->gid, MKV_DIFFERENT_OWNER},
		{!have_same_xattrs(a, b), MKV_DIFFERENT_XATTRS},
		{a->mtime_s != b->mtime_s, MKV_DIFFERENT_MTIME},
	};
	if (a->content) {
		int rc = compare_contents(comparison, a, b, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].differs)
			continue;
		int rc = report_difference(comparison, rows[i].what, a, b, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int compare_entries(struct comparison *comparison, struct mkv_inode *a,
			   struct mkv_inode *b, struct mkv_error *err);

static int compare_children(struct comparison *comparison, struct mkv_inode *a,
			    struct mkv_inode *b, struct mkv_error *err)
{
	size_t n_x, n_y, i = 0, j = 0, length = comparison->path.size;
	const struct mkv_tree_entry *x = mkv_inode_children(a, &n_x);
	const struct mkv_tree_entry *y = mkv_inode_children(b, &n_y);
	while (i < n_x || j < n_y) {
		int order = i == n_x   ? 1
			    : j == n_y ? -1
				       : strcmp(x[i].name, y[j].name);
		if (length > 1)
			mkv_buf_char(&comparison->path, '/');
		mkv_buf_str(&comparison->path,
			    order <= 0 ? x[i].name : y[j].name);
		int rc = mkv_buf_check(&comparison->path, err);
		if (rc < 0)
			return rc;
		rc = compare_entries(comparison, order <= 0 ? x[i].inode : NULL,
				     order >= 0 ? y[j].inode : NULL, err);
		if (rc < 0)
			return rc;
		i += order <= 0;
		j += order >= 0;
		comparison->path.size = length;
		comparison->path.data[length] = '\0';
	}
	return 0;
}

static int compare_entries(struct comparison *comparison, struct mkv_inode *a,
			   struct mkv_inode *b, struct mkv_error *err)
{
	if (!a || !b)
		return report_difference(comparison,
					 a ? MKV_ONLY_IN_A : MKV_ONLY_IN_B, a,
					 b, err);
	if (a == b && !a->children)
		return 0;
	if ((a->mode & S_IFMT) != (b->mode & S_IFMT))
		return report_difference(comparison, MKV_DIFFERENT_TYPE, a, b,
					 err);
	int rc = compare_inodes(comparison, a, b, err);
	if (rc < 0 || !a->children)
		return rc;
	return compare_children(comparison, a, b, err);
}

int mkv_tree_compare(const struct mkv_tree *a, const struct mkv_tree *b,
		     mkv_tree_differs *differs, void *context,
		     struct mkv_error *err)
{
	__attribute__((
		cleanup(comparison_done))) struct comparison comparison = {
		.differs = differs, .context = context};
	mkv_buf_char(&comparison.path, '/');
	int rc = mkv_buf_check(&comparison.path, err);
	if (rc < 0)
		return rc;
	rc = find_first_paths(a, b, &comparison.firsts, err);
	if (rc < 0)
		return rc;
	return compare_entries(&comparison, mkv_tree_root(a), mkv_tree_root(b),
			       err);
}

/* SPDX-License-Identifier: MIT */
#include "builder/core/tree/listing.h"

#include <inttypes.h>
#include <string.h>

#include "lib/strings.h"

struct writer {
	const char *const *except;
	struct mkv_buf *out;
	struct mkv_strings firsts; /* first paths of inodes with several names;
				      an inode's mark is its index plus 1 */
};

static bool is_excepted(const char *const *except, const char *path)
{
	for (; except && *except; except++) {
		size_t length = strlen(*except);
		if (strncmp(path, *except, length) == 0 &&
		    (path[length] == '\0' || path[length] == '/'))
			return true;
	}
	return false;
}

static void add_escaped(struct mkv_buf *out, const char *text, char also)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < '!' || c > '~' || c == '%' || *text == also)
			mkv_buf_printf(out, "%%%02X", c);
		else
			mkv_buf_char(out, *text);
	}
}

static void add_xattrs(struct mkv_buf *out, const struct mkv_inode *inode)
{
	for (size_t i = 0; i < inode->n_xattrs; i++) {
		const struct mkv_xattr *xattr = &inode->xattrs[i];
		mkv_buf_char(out, ' ');
		add_escaped(out, xattr->name, '=');
		mkv_buf_char(out, '=');
		for (size_t j = 0; j < xattr->size; j++)
			mkv_buf_printf(out, "%02x", xattr->value[j]);
	}
}

static char type_of(const struct mkv_inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFREG:
		return 'f';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	default:
		return '\0';
	}
}

/* The columns MODE to DIGEST. */
static int add_columns(struct mkv_buf *out, const struct mkv_inode *inode,
		       struct mkv_error *err)
{
	char digest[MKV_SHA256_HEX_SIZE] = "-";
	char size[32] = "-";
	if (S_ISREG(inode->mode)) {
		struct mkv_sha256 sha256;
		int rc = mkv_content_sha256(inode->content, &sha256, err);
		if (rc < 0)
			return rc;
		mkv_sha256_hex(&sha256, digest);
		(void)snprintf(size, sizeof(size), "%" PRIu64,
			       mkv_content_size(inode->content));
	} else if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) {
		(void)snprintf(size, sizeof(size), "%" PRIu32 ":%" PRIu32,
			       inode->major, inode->minor);
	}
	mkv_buf_printf(out, " %04o %" PRIu32 " %" PRIu32 " %s %" PRId64 " %s ",
		       inode->mode & 07777U, inode->uid, inode->gid, size,
		       inode->mtime_s, digest);
	return 0;
}

static int note_first_path(struct writer *writer, const char *path,
			   struct mkv_inode *inode, struct mkv_error *err)
{
	int rc = mkv_strings_append(&writer->firsts, strdup(path), err);
	if (rc < 0)
		return rc;
	inode->mark = writer->firsts.count;
	return 0;
}

static int add_entry(const char *path, struct mkv_inode *inode, void *context,
		     struct mkv_error *err)
{
	struct writer *writer = context;
	if (is_excepted(writer->except, path))
		return 0;
	char type = inode->mark ? 'h' : type_of(inode);
	if (!type)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' has a file type (mode %o) that the list "
				"of files can't represent",
				path, inode->mode);
	struct mkv_buf *out = writer->out;
	mkv_buf_char(out, type);
	int rc = add_columns(out, inode, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	add_escaped(out, path, '\0');
	if (type == 'h') {
		mkv_buf_char(out, ' ');
		add_escaped(out, writer->firsts.items[inode->mark - 1], '\0');
	} else {
		if (type == 'l') {
			mkv_buf_char(out, ' ');
			add_escaped(out, inode->target, '\0');
		}
		add_xattrs(out, inode);
		if (inode->entries > 1)
			rc = note_first_path(writer, path, inode, err);
	}
	mkv_buf_char(out, '\n');
	return rc < 0 ? rc : mkv_buf_check(out, err);
}

int mkv_listing_write(const struct mkv_tree *tree, const char *const *except,
		      struct mkv_buf *ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf out = {0};
	struct writer writer = {.except = except, .out = &out};
	mkv_tree_clear_marks(tree);
	int rc = mkv_tree_walk(tree, add_entry, &writer, err);
	mkv_strings_done(&writer.firsts);
	if (rc < 0)
		return rc;
	mkv_buf_add(ret, out.data, out.size);
	return mkv_buf_check(ret, err);
}

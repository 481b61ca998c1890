/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/layer_read.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>

#include "builder/format/oci/archive_internal.h"
#include "builder/format/oci/layer_unpack.h"
#include "builder/format/oci/tar_split.h"
#include "lib/io.h"

enum { CHUNK = 128 * 1024 };

void mkv_oci_read_layer_done(struct mkv_oci_read_layer *read)
{
	mkv_oci_layer_free(read->layer);
	mkv_tree_free(read->tree);
	*read = (struct mkv_oci_read_layer){0};
}

static int open_unnamed(const char *folder, int *ret, struct mkv_error *err)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"open a file in '%s': %m", folder);
	*ret = fd;
	return 0;
}

/* Where a tree is being filled. */
struct filler {
	struct archive *archive;
	struct mkv_tree *tree;
	struct mkv_source *files; /* their contents, one after the other */
	uint64_t files_size;
	char *chunk;
};

/* "./usr/bin/" -> "/usr/bin"; what a tree doesn't allow, it refuses itself. */
static int tree_path(const char *name, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	while (*name) {
		size_t length = strcspn(name, "/");
		if (length > 0 && !(length == 1 && name[0] == '.')) {
			mkv_buf_char(ret, '/');
			mkv_buf_add(ret, name, length);
		}
		name += length + (name[length] == '/');
	}
	if (!ret->size)
		mkv_buf_char(ret, '/');
	return mkv_buf_check(ret, err);
}

static int read_content(struct filler *filler, struct mkv_content **ret,
			struct mkv_error *err)
{
	uint64_t start = filler->files_size;
	int fd = mkv_source_fd(filler->files);
	for (;;) {
		la_ssize_t n = archive_read_data(filler->archive, filler->chunk,
						 CHUNK);
		if (n < 0)
			return mkv_archive_fail(filler->archive, err);
		if (n == 0)
			break;
		int rc = mkv_pwrite_all(fd, filler->chunk, (size_t)n,
					filler->files_size, err);
		if (rc < 0)
			return rc;
		filler->files_size += (uint64_t)n;
	}
	*ret = mkv_content_range(filler->files, start,
				 filler->files_size - start, NULL);
	return *ret ? 0 : mkv_oom(err);
}

static int read_xattrs(struct archive_entry *entry, struct mkv_inode *inode,
		       struct mkv_error *err)
{
	const char *name;
	const void *value;
	size_t size;
	int rc = 0;
	archive_entry_xattr_reset(entry);
	while (rc == 0 && archive_entry_xattr_next(entry, &name, &value,
						   &size) == ARCHIVE_OK)
		/* Docker keeps this one, and so do we. */
		if (name && strcmp(name, "security.capability") == 0)
			rc = mkv_inode_set_xattr(inode, name, value, size, err);
	return rc;
}

static int make_inode(struct filler *filler, struct archive_entry *entry,
		      struct mkv_inode **ret, struct mkv_error *err)
{
	mode_t mode = archive_entry_mode(entry);
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	if (uid < 0 || uid > INT32_MAX || gid < 0 || gid > INT32_MAX ||
	    !(S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) ||
	      S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode)))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"a type or an owner that no file has");
	auto_inode struct mkv_inode *inode = mkv_inode_new(
		mode, (uint32_t)uid, (uint32_t)gid, archive_entry_mtime(entry));
	if (!inode)
		return mkv_oom(err);
	int rc = 0;
	if (S_ISLNK(mode)) {
		const char *target = archive_entry_symlink(entry);
		inode->target = strdup(target ? target : "");
		rc = inode->target ? 0 : mkv_oom(err);
	} else if (S_ISREG(mode)) {
		rc = read_content(filler, &inode->content, err);
	} else if (S_ISCHR(mode) || S_ISBLK(mode)) {
		inode->major = (uint32_t)archive_entry_rdevmajor(entry);
		inode->minor = (uint32_t)archive_entry_rdevminor(entry);
	}
	if (rc == 0)
		rc = read_xattrs(entry, inode, err);
	if (rc == 0)
		*ret = mkv_take(inode);
	return rc;
}

/* A folder that is there already, made for what is in it or said twice, takes
 * over what the entry says. */
static int update_folder(struct mkv_inode *there, const struct mkv_inode *entry)
{
	there->mode = entry->mode;
	there->uid = entry->uid;
	there->gid = entry->gid;
	there->mtime_s = entry->mtime_s;
	return 0;
}

static int put_hard_link(struct filler *filler, const char *path,
			 const char *target, struct mkv_error *err)
{
	auto_buf struct mkv_buf other = {0};
	int rc = tree_path(target, &other, err);
	if (rc < 0)
		return rc;
	struct mkv_inode *inode = mkv_tree_lookup(filler->tree, other.data);
	if (!inode || S_ISDIR(inode->mode))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"a hard link to '%s', which isn't there",
				other.data);
	return mkv_tree_put(filler->tree, path, inode, err);
}

static int make_parents(struct mkv_tree *tree, const char *path,
			struct mkv_error *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *parent = strndup(path, (size_t)(slash - path));
	if (!parent)
		return mkv_oom(err);
	return *parent ? mkv_tree_make_dirs(tree, parent, err) : 0;
}

static int put_entry(struct filler *filler, struct archive_entry *entry,
		     struct mkv_error *err)
{
	const char *name = archive_entry_pathname(entry);
	const char *link = archive_entry_hardlink(entry);
	auto_buf struct mkv_buf path = {0};
	auto_inode struct mkv_inode *inode = NULL;
	int rc = tree_path(name ? name : "", &path, err);
	if (rc < 0)
		return rc;
	bool is_root = path.size == 1;
	if (!is_root)
		rc = make_parents(filler->tree, path.data, err);
	if (rc == 0 && link)
		rc = put_hard_link(filler, path.data, link, err);
	else if (rc == 0)
		rc = make_inode(filler, entry, &inode, err);
	if (rc == 0 && inode) {
		struct mkv_inode *there =
			mkv_tree_lookup(filler->tree, path.data);
		if (is_root && !S_ISDIR(inode->mode))
			rc = mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				      "the root is not a folder");
		else if (there && S_ISDIR(there->mode) && S_ISDIR(inode->mode))
			rc = update_folder(there, inode);
		else
			rc = mkv_tree_put(filler->tree, path.data, inode, err);
	}
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path.data) : 0;
}

static int fill(struct filler *filler, int tar_fd, struct mkv_error *err)
{
	struct archive_entry *entry;
	archive_read_support_format_tar(filler->archive);
	archive_read_set_options(filler->archive, "hdrcharset=BINARY");
	if (lseek(tar_fd, 0, SEEK_SET) < 0 ||
	    archive_read_open_fd(filler->archive, tar_fd, CHUNK) != ARCHIVE_OK)
		return mkv_archive_fail(filler->archive, err);
	for (size_t count = 0;; count++) {
		int status = archive_read_next_header(filler->archive, &entry);
		if (status == ARCHIVE_EOF)
			return 0;
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return mkv_archive_fail(filler->archive, err);
		if (count == MKV_OCI_LAYER_MAX_ENTRIES)
			return mkv_fail(err, MKV_UNVERIFIED, E2BIG,
					"more than %d entries",
					(int)MKV_OCI_LAYER_MAX_ENTRIES);
		int rc = put_entry(filler, entry, err);
		if (rc < 0)
			return rc;
	}
}

static int read_tree(int tar_fd, const char *scratch, struct mkv_tree **ret,
		     struct mkv_error *err)
{
	auto_archive struct archive *archive = archive_read_new();
	auto_source struct mkv_source *files = NULL;
	auto_tree struct mkv_tree *tree = NULL;
	auto_free char *chunk = malloc(CHUNK);
	int fd = -1;
	if (!archive || !chunk)
		return mkv_oom(err);
	int rc = open_unnamed(scratch, &fd, err);
	if (rc == 0)
		rc = mkv_source_new(fd, &files, err);
	if (rc == 0)
		rc = mkv_tree_new(0, &tree, err);
	if (rc < 0)
		return rc;
	struct filler filler = {archive, tree, files, 0, chunk};
	rc = fill(&filler, tar_fd, err);
	if (rc == 0)
		*ret = mkv_take(tree);
	return rc;
}

static int read_layer(int blob_fd, int tar_fd, const struct mkv_sha256 *diff_id,
		      const char *scratch, struct mkv_oci_layer *layer,
		      struct mkv_error *err)
{
	int rc = mkv_oci_layer_unpack(blob_fd, layer->media_type, tar_fd,
				      &layer->diff_id, &layer->tar_size_bytes,
				      err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&layer->diff_id, diff_id))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"its stream is not what the configuration "
				"says");
	return mkv_oci_layer_split(layer, tar_fd, scratch, err);
}

int mkv_oci_layer_read(int blob_fd, const struct mkv_sha256 *digest,
		       const struct mkv_sha256 *diff_id, const char *media_type,
		       const char *scratch, struct mkv_oci_read_layer *ret,
		       struct mkv_error *err)
{
	auto_source struct mkv_source *blob = NULL;
	auto_fd int tar_fd = -1;
	auto_oci_layer struct mkv_oci_layer *layer = calloc(1, sizeof(*layer));
	auto_tree struct mkv_tree *tree = NULL;
	struct stat st;
	int rc = mkv_source_new(blob_fd, &blob, err);
	if (rc < 0)
		return rc;
	if (!layer)
		return mkv_oom(err);
	if (fstat(blob_fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stat: %m");
	layer->digest = *digest;
	layer->media_type = media_type;
	layer->blob = mkv_content_range(blob, 0, (uint64_t)st.st_size, digest);
	if (!layer->blob)
		return mkv_oom(err);
	rc = open_unnamed(scratch, &tar_fd, err);
	if (rc == 0)
		rc = read_layer(blob_fd, tar_fd, diff_id, scratch, layer, err);
	if (rc == 0)
		rc = read_tree(tar_fd, scratch, &tree, err);
	if (rc < 0)
		return rc;
	layer->tree = tree;
	ret->tree = mkv_take(tree);
	ret->layer = mkv_take(layer);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/layer_read.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "builder/format/oci/archive_internal.h"
#include "builder/format/oci/layer_internal.h"
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

/* A tree that is being read from a tar stream. */
struct reader {
	struct archive *archive;
	struct mkv_tree *tree;
	struct mkv_source *files; /* all contents, one after the other */
	uint64_t files_size;
	char *chunk;
};

/* "./usr/bin/" -> "/usr/bin". Components such as ".." are kept: the
 * tree refuses them. */
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

static int read_content(struct reader *reader, struct mkv_content **ret,
			struct mkv_error *err)
{
	uint64_t start = reader->files_size;
	int fd = mkv_source_fd(reader->files);
	for (;;) {
		la_ssize_t n = archive_read_data(reader->archive, reader->chunk,
						 CHUNK);
		if (n < 0)
			return mkv_archive_fail(reader->archive, err);
		if (n == 0)
			break;
		int rc = mkv_pwrite_all(fd, reader->chunk, (size_t)n,
					reader->files_size, err);
		if (rc < 0)
			return rc;
		reader->files_size += (uint64_t)n;
	}
	*ret = mkv_content_range(reader->files, start,
				 reader->files_size - start, NULL);
	return *ret ? 0 : mkv_oom(err);
}

static int read_xattrs(struct archive_entry *entry, struct mkv_inode *inode,
		       struct mkv_error *err)
{
	const char *name;
	const void *value;
	size_t size;
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) ==
	       ARCHIVE_OK) {
		/* The only attribute that Docker keeps. */
		if (!name || strcmp(name, "security.capability") != 0)
			continue;
		int rc = mkv_inode_set_xattr(inode, name, value, size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What an inode of this type holds besides its attributes. */
static int read_payload(struct reader *reader, struct archive_entry *entry,
			struct mkv_inode *inode, struct mkv_error *err)
{
	if (S_ISREG(inode->mode))
		return read_content(reader, &inode->content, err);
	if (S_ISLNK(inode->mode)) {
		const char *target = archive_entry_symlink(entry);
		inode->target = strdup(target ? target : "");
		return inode->target ? 0 : mkv_oom(err);
	}
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) {
		inode->major = (uint32_t)archive_entry_rdevmajor(entry);
		inode->minor = (uint32_t)archive_entry_rdevminor(entry);
	}
	return 0;
}

static int make_inode(struct reader *reader, struct archive_entry *entry,
		      struct mkv_inode **ret, struct mkv_error *err)
{
	mode_t mode = archive_entry_mode(entry);
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	if (uid < 0 || uid > INT32_MAX || gid < 0 || gid > INT32_MAX ||
	    !(S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) ||
	      S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode)))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"unsupported file type, or owner out of range");
	auto_inode struct mkv_inode *inode = mkv_inode_new(
		mode, (uint32_t)uid, (uint32_t)gid, archive_entry_mtime(entry));
	if (!inode)
		return mkv_oom(err);
	int rc = read_payload(reader, entry, inode, err);
	if (rc < 0)
		return rc;
	rc = read_xattrs(entry, inode, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(inode);
	return 0;
}

/* A directory may precede its own entry (as the parent of another entry) or
 * have several entries: the last entry sets its attributes. */
static void update_directory(struct mkv_inode *dir,
			     const struct mkv_inode *entry)
{
	dir->mode = entry->mode;
	dir->uid = entry->uid;
	dir->gid = entry->gid;
	dir->mtime_s = entry->mtime_s;
}

static int put_hard_link(struct reader *reader, const char *path,
			 const char *target, struct mkv_error *err)
{
	auto_buf struct mkv_buf other = {0};
	int rc = tree_path(target, &other, err);
	if (rc < 0)
		return rc;
	struct mkv_inode *inode = mkv_tree_lookup(reader->tree, other.data);
	if (!inode || S_ISDIR(inode->mode))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"hard link to '%s': the layer has no such file",
				other.data);
	return mkv_tree_put(reader->tree, path, inode, err);
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

static int put_at_path(struct reader *reader, const char *path,
		       struct archive_entry *entry, struct mkv_error *err)
{
	const char *link = archive_entry_hardlink(entry);
	auto_inode struct mkv_inode *inode = NULL;
	bool is_root = strcmp(path, "/") == 0;
	int rc = is_root ? 0 : make_parents(reader->tree, path, err);
	if (rc < 0)
		return rc;
	if (link)
		return put_hard_link(reader, path, link, err);
	rc = make_inode(reader, entry, &inode, err);
	if (rc < 0)
		return rc;
	if (is_root && !S_ISDIR(inode->mode))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"the root is not a directory");
	struct mkv_inode *present = mkv_tree_lookup(reader->tree, path);
	if (present && S_ISDIR(present->mode) && S_ISDIR(inode->mode)) {
		update_directory(present, inode);
		return 0;
	}
	return mkv_tree_put(reader->tree, path, inode, err);
}

static int put_entry(struct reader *reader, struct archive_entry *entry,
		     struct mkv_error *err)
{
	const char *name = archive_entry_pathname(entry);
	auto_buf struct mkv_buf path = {0};
	int rc = tree_path(name ? name : "", &path, err);
	if (rc < 0)
		return rc;
	rc = put_at_path(reader, path.data, entry, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path.data) : 0;
}

static int read_entries(struct reader *reader, int tar_fd,
			struct mkv_error *err)
{
	struct archive_entry *entry;
	archive_read_support_format_tar(reader->archive);
	archive_read_set_options(reader->archive, "hdrcharset=BINARY");
	if (lseek(tar_fd, 0, SEEK_SET) < 0 ||
	    archive_read_open_fd(reader->archive, tar_fd, CHUNK) != ARCHIVE_OK)
		return mkv_archive_fail(reader->archive, err);
	for (size_t count = 0;; count++) {
		int status = archive_read_next_header(reader->archive, &entry);
		if (status == ARCHIVE_EOF)
			return 0;
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return mkv_archive_fail(reader->archive, err);
		if (count == MKV_OCI_LAYER_MAX_ENTRIES)
			return mkv_fail(err, MKV_UNVERIFIED, E2BIG,
					"more than %d entries",
					(int)MKV_OCI_LAYER_MAX_ENTRIES);
		int rc = put_entry(reader, entry, err);
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
	int rc = mkv_oci_open_unnamed(scratch, &fd, err);
	if (rc < 0)
		return rc;
	rc = mkv_source_new(fd, &files, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_new(0, &tree, err);
	if (rc < 0)
		return rc;
	struct reader reader = {archive, tree, files, 0, chunk};
	rc = read_entries(&reader, tar_fd, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(tree);
	return 0;
}

/* Unpacks the blob to `tar_fd` and checks the stream. */
static int unpack_layer(int blob_fd, int tar_fd,
			const struct mkv_sha256 *diff_id, const char *scratch,
			struct mkv_oci_layer *layer, struct mkv_error *err)
{
	int rc = mkv_oci_layer_unpack(blob_fd, layer->media_type, tar_fd,
				      &layer->diff_id, &layer->tar_size_bytes,
				      err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&layer->diff_id, diff_id))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the tar stream does not match the diffID of "
				"the configuration");
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
	rc = mkv_oci_open_unnamed(scratch, &tar_fd, err);
	if (rc < 0)
		return rc;
	rc = unpack_layer(blob_fd, tar_fd, diff_id, scratch, layer, err);
	if (rc < 0)
		return rc;
	rc = read_tree(tar_fd, scratch, &tree, err);
	if (rc < 0)
		return rc;
	layer->tree = tree;
	ret->tree = mkv_take(tree);
	ret->layer = mkv_take(layer);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* For tests and measurements: reads a directory of this machine into a tree,
 * with all metadata, and passes it to a writer.
 *
 *     treetool ext4 DIR IMAGE [SIZE_BYTES [OFFSET]]
 *     treetool tar DIR ARCHIVE
 *     treetool list DIR
 *     treetool compare DIR DIR
 *     treetool layer BASE TOP ARCHIVE
 *     treetool qcow2 RAW IMAGE
 *     treetool parse LIST
 *
 * Environment: TIMES=1 prints the durations of reading and writing on stderr;
 * FORCE_OWNER=1 makes every entry root:root (for runs without root). */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>

#include "builder/core/tree/diff.h"
#include "builder/core/tree/listing.h"
#include "builder/format/archive/tar.h"
#include "builder/format/disk/qcow2.h"
#include "builder/format/ext4/ext4.h"
#include "lib/io.h"
#include "lib/listing.h"

enum { EPOCH = 1763856000 };

/* Inodes with several names, by device and number. */
struct seen {
	struct {
		dev_t device;
		ino_t number;
		struct mkv_inode *inode;
	} items[65536];
	size_t count;
};
static struct seen seen;

static int read_xattrs(int fd, const char *path, struct mkv_inode *inode,
		       struct mkv_error *err)
{
	char names[65536], value[65536];
	ssize_t size = flistxattr(fd, names, sizeof(names));
	if (size < 0 && errno != ENOTSUP)
		return mkv_fail(err, MKV_FAILED, errno, "%s: %m", path);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t got = fgetxattr(fd, names + at, value, sizeof(value));
		int rc = got < 0 ? mkv_fail(err, MKV_FAILED, errno, "%s: %m",
					    path)
				 : mkv_inode_set_xattr(inode, names + at, value,
						       (size_t)got, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_inode(int dirfd, const char *name, const char *path,
		      const struct stat *st, struct mkv_inode **ret,
		      struct mkv_error *err)
{
	auto_inode struct mkv_inode *inode = mkv_inode_new(
		st->st_mode, getenv("FORCE_OWNER") ? 0 : st->st_uid,
		getenv("FORCE_OWNER") ? 0 : st->st_gid, st->st_mtime);
	if (!inode)
		return mkv_oom(err);
	int rc = 0;
	if (S_ISLNK(st->st_mode)) {
		char target[4096] = "";
		ssize_t size =
			readlinkat(dirfd, name, target, sizeof(target) - 1);
		inode->target = size < 0 ? NULL : strdup(target);
		if (!inode->target)
			return mkv_fail(err, MKV_FAILED, errno, "%s: %m", path);
	} else if (S_ISREG(st->st_mode)) {
		int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return mkv_fail(err, MKV_FAILED, errno, "%s: %m", path);
		rc = read_xattrs(fd, path, inode, err);
		if (rc == 0 && st->st_size <= 65536) {
			auto_buf struct mkv_buf data = {0};
			rc = mkv_read_fd(fd, 65536, &data, err);
			inode->content =
				mkv_content_bytes(data.data, data.size);
			(void)close(fd);
		} else if (rc == 0) {
			auto_source struct mkv_source *source = NULL;
			rc = mkv_source_new(fd, &source, err);
			if (rc == 0)
				inode->content = mkv_content_range(
					source, 0, (uint64_t)st->st_size, NULL);
		}
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		inode->major = major(st->st_rdev);
		inode->minor = minor(st->st_rdev);
	}
	*ret = mkv_take(inode);
	return rc;
}

static int read_directory(struct mkv_tree *tree, int fd, const char *path,
			  struct mkv_error *err);

static int read_entry(struct mkv_tree *tree, int dirfd, const char *name,
		      const char *path, struct mkv_error *err)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "%s: %m", path);
	if (S_ISSOCK(st.st_mode))
		return 0;
	for (size_t i = 0; st.st_nlink > 1 && i < seen.count; i++)
		if (seen.items[i].number == st.st_ino &&
		    seen.items[i].device == st.st_dev)
			return mkv_tree_put(tree, path, seen.items[i].inode,
					    err);
	struct mkv_inode *inode = NULL;
	int rc = read_inode(dirfd, name, path, &st, &inode, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_put(tree, path, inode, err);
	if (rc == 0 && st.st_nlink > 1 && !S_ISDIR(st.st_mode) &&
	    seen.count < 65536) {
		seen.items[seen.count].device = st.st_dev;
		seen.items[seen.count].number = st.st_ino;
		seen.items[seen.count++].inode = inode;
	}
	mkv_inode_unref(inode);
	if (rc < 0 || !S_ISDIR(st.st_mode))
		return rc;
	auto_fd int fd = openat(
		dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? mkv_fail(err, MKV_FAILED, errno, "%s: %m", path)
		      : read_directory(tree, fd, path, err);
}

static int read_directory(struct mkv_tree *tree, int fd, const char *path,
			  struct mkv_error *err)
{
	auto_dir DIR *dir = fdopendir(dup(fd));
	if (!dir)
		return mkv_fail(err, MKV_FAILED, errno, "%s: %m", path);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		auto_free char *child = NULL;
		if (asprintf(&child, "%s/%s", path[1] ? path : "",
			     entry->d_name) < 0)
			return mkv_oom(err);
		int rc = read_entry(tree, fd, entry->d_name, child, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int load(const char *path, struct mkv_tree **ret, struct mkv_error *err)
{
	struct stat st;
	auto_tree struct mkv_tree *tree = NULL;
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "%s: %m", path);
	seen.count = 0;
	int rc = mkv_tree_new(st.st_mtime, &tree, err);
	if (rc == 0) {
		struct mkv_inode *root = mkv_tree_root(tree);
		root->mode = st.st_mode;
		root->uid = getenv("FORCE_OWNER") ? 0 : st.st_uid;
		root->gid = getenv("FORCE_OWNER") ? 0 : st.st_gid;
		rc = read_directory(tree, fd, "/", err);
	}
	if (rc < 0)
		return rc;
	*ret = mkv_take(tree);
	return rc;
}

static double now_s(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int write_ext4(const struct mkv_tree *tree, char **args,
		      struct mkv_error *err)
{
	struct mkv_ext4_options options = {.uuid = "0123456789abcdef",
					   .hash_seed = "fedcba9876543210",
					   .label = "root",
					   .epoch_s = EPOCH};
	double started = now_s();
	int rc = mkv_ext4_size(tree, &options.size_bytes, err);
	if (getenv("TIMES"))
		(void)fprintf(stderr, "size %.3f s\n", now_s() - started);
	if (rc == 0 && args[1])
		options.size_bytes = strtoull(args[1], NULL, 10);
	uint64_t offset = args[1] && args[2] ? strtoull(args[2], NULL, 10) : 0;
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	if (rc < 0)
		return rc;
	rc = mkv_newfile_open(args[0], 0644, &file, err);
	if (rc == 0 &&
	    ftruncate(file.fd, (off_t)(offset + options.size_bytes)) < 0)
		rc = mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
	started = now_s();
	if (rc < 0)
		return rc;
	rc = mkv_ext4_write(tree, file.fd, offset, &options, err);
	if (rc == 0 && getenv("TIMES"))
		(void)fprintf(stderr, "ext4 %.3f s, %zu entries\n",
			      now_s() - started, mkv_tree_count(tree));
	return rc < 0 ? rc : mkv_newfile_commit(&file, err);
}

static int to_file(const char *path,
		   int (*write_to)(const struct mkv_tree *, int,
				   struct mkv_error *),
		   const struct mkv_tree *tree, struct mkv_error *err)
{
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	int rc = mkv_newfile_open(path, 0644, &file, err);
	double started = now_s();
	if (rc < 0)
		return rc;
	rc = write_to(tree, file.fd, err);
	if (rc == 0 && getenv("TIMES"))
		(void)fprintf(stderr, "tar %.3f s\n", now_s() - started);
	return rc < 0 ? rc : mkv_newfile_commit(&file, err);
}

static int differs(const char *path, enum mkv_tree_difference what,
		   struct mkv_inode *a, struct mkv_inode *b, void *context,
		   struct mkv_error *err)
{
	(void)a, (void)b, (void)context, (void)err;
	(void)printf("%s: %s\n", path, mkv_tree_difference_name(what));
	return 0;
}

static int list(const struct mkv_tree *tree, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	double started = now_s();
	int rc = mkv_listing_write(tree, NULL, &text, err);
	if (rc == 0 && getenv("TIMES"))
		(void)fprintf(stderr, "list %.3f s\n", now_s() - started);
	return rc < 0 ? rc : mkv_write_all(1, text.data, text.size, err);
}

static int count(const struct mkv_listing_entry *entry, void *context,
		 struct mkv_error *err)
{
	(void)entry, (void)err;
	++*(size_t *)context;
	return 0;
}

static int parse(const char *path, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	size_t entries = 0;
	int rc = mkv_read_file(AT_FDCWD, path, (size_t)1 << 30, &text, err);
	double started = now_s();
	if (rc < 0)
		return rc;
	rc = mkv_listing_parse(text.data, text.size, count, &entries, err);
	if (rc < 0)
		return rc;
	(void)printf("%zu entries\n", entries);
	if (getenv("TIMES"))
		(void)fprintf(stderr, "parse %.3f s\n", now_s() - started);
	return rc;
}

static int qcow2(char **args, struct mkv_error *err)
{
	auto_fd int raw = open(args[0], O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (raw < 0 || fstat(raw, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "%s: %m", args[0]);
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	int rc = mkv_newfile_open(args[1], 0644, &file, err);
	double started = now_s();
	if (rc < 0)
		return rc;
	rc = mkv_qcow2_write(raw, (uint64_t)st.st_size, file.fd, err);
	if (rc == 0 && getenv("TIMES"))
		(void)fprintf(stderr, "qcow2 %.3f s\n", now_s() - started);
	return rc < 0 ? rc : mkv_newfile_commit(&file, err);
}

static int run(int argc, char **argv, struct mkv_error *err)
{
	const char *verb = argc > 2 ? argv[1] : "";
	if (strcmp(verb, "qcow2") == 0 && argc == 4)
		return qcow2(argv + 2, err);
	if (strcmp(verb, "parse") == 0)
		return parse(argv[2], err);
	auto_tree struct mkv_tree *tree = NULL;
	auto_tree struct mkv_tree *other = NULL;
	auto_tree struct mkv_tree *layer = NULL;
	double started = now_s();
	int rc = argc > 2 ? load(argv[2], &tree, err)
			  : mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				     "see the head of tests/tools/treetool.c");
	if (rc == 0 && getenv("TIMES"))
		(void)fprintf(stderr, "read %.3f s\n", now_s() - started);
	bool has_two =
		strcmp(verb, "compare") == 0 || strcmp(verb, "layer") == 0;
	if (rc == 0 && has_two && argc > 3)
		rc = load(argv[3], &other, err);
	if (rc < 0)
		return rc;
	if (strcmp(verb, "list") == 0)
		return list(tree, err);
	if (strcmp(verb, "ext4") == 0 && argc > 3)
		return write_ext4(tree, argv + 3, err);
	if (strcmp(verb, "tar") == 0 && argc > 3)
		return to_file(argv[3], mkv_tar_write, tree, err);
	if (strcmp(verb, "compare") == 0 && other)
		return mkv_tree_compare(tree, other, differs, NULL, err);
	if (strcmp(verb, "layer") == 0 && other && argc > 4) {
		rc = mkv_tree_diff(tree, other, &layer, err);
		return rc < 0 ? rc
			      : to_file(argv[4], mkv_tar_write, layer, err);
	}
	return mkv_fail(err, MKV_BAD_USAGE, EINVAL, "what is '%s'?", verb);
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max; /* large files stay open */
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (run(argc, argv, &err) == 0)
		return 0;
	(void)fprintf(stderr, "treetool: %s\n", err.message);
	return mkv_exit_status(err.kind);
}

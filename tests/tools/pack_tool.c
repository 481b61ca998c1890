/* SPDX-License-Identifier: MIT */
/* Packs and root file systems, for shell tests:
 *
 *   pack_tool build OUT.pack EPOCH SUITE container|host DEB...
 *   pack_tool list PACK            prints a line per path: metadata and digest
 *   pack_tool extract PACK DIR     as root: owners, devices and attributes too
 *
 * The .debs must be in the order of their configuration. */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "builder/core/tree/pack.h"
#include "builder/rootfs/install/rootfs.h"
#include "builder/rootfs/package/stage.h"

/* Builds in two steps as a build does: first the base, then the rest on it. */
static int build_both(struct mkv_rootfs_package *given, size_t count,
		      struct mkv_rootfs_options *options, int fd,
		      struct mkv_progress *progress, struct mkv_error *err)
{
	size_t n_base = 0;
	size_t *order = calloc(count, sizeof(*order));
	struct mkv_rootfs_package *ordered = calloc(count, sizeof(*ordered));
	if (!order || !ordered)
		return mkv_oom(err);
	int base_fd = memfd_create("base", MFD_CLOEXEC);
	int rc = mkv_rootfs_base(given, count, order, &n_base, err);
	for (size_t i = 0; i < count; i++)
		ordered[i] = given[order[i]];
	if (rc == 0)
		rc = mkv_rootfs_build(ordered, n_base, options,
				      n_base == count ? fd : base_fd, progress,
				      err);
	if (rc == 0 && n_base < count) {
		options->n_base = n_base;
		options->base_fd = base_fd;
		rc = mkv_rootfs_build(ordered, count, options, fd, progress,
				      err);
	}
	(void)close(base_fd);
	free(order);
	free(ordered);
	return rc;
}

static int build(int argc, char **argv, struct mkv_error *err)
{
	size_t count = (size_t)argc - 6;
	struct mkv_package *parsed = calloc(count, sizeof(*parsed));
	struct mkv_rootfs_package *given = calloc(count, sizeof(*given));
	if (!parsed || !given)
		return mkv_oom(err);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		given[i].deb_fd = open(argv[6 + i], O_RDONLY | O_CLOEXEC);
		if (given[i].deb_fd < 0)
			return mkv_fail(err, MKV_FAILED, errno, "%s: %m",
					argv[6 + i]);
		rc = mkv_package_read(given[i].deb_fd, &parsed[i], err);
		given[i].name = parsed[i].control.package;
		given[i].version = parsed[i].control.version;
		given[i].architecture = parsed[i].control.architecture;
	}
	struct mkv_rootfs_options options = {
		.epoch_s = atoll(argv[3]),
		.suite = argv[4],
		.container = strcmp(argv[5], "container") == 0,
	};
	int fd = open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "%s: %m", argv[2]);
	struct mkv_progress *progress = mkv_progress_new(MKV_PROGRESS_AUTO);
	if (rc == 0)
		rc = build_both(given, count, &options, fd, progress, err);
	mkv_progress_free(progress);
	for (size_t i = 0; i < count; i++) {
		(void)close(given[i].deb_fd);
		mkv_package_done(&parsed[i]);
	}
	free(parsed);
	free(given);
	return close(fd) < 0 ? mkv_fail(err, MKV_FAILED, errno, "close") : rc;
}

static int list_entry(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	(void)context;
	char hex[MKV_SHA256_HEX_SIZE] = "-";
	if (inode->content) {
		struct mkv_sha256 sha256;
		int rc = mkv_content_sha256(inode->content, &sha256, err);
		if (rc < 0)
			return rc;
		mkv_sha256_hex(&sha256, hex);
	}
	printf("%s %o %u:%u %lld %u %s%s%s", path, (unsigned)inode->mode,
	       inode->uid, inode->gid, (long long)inode->mtime_s,
	       S_ISDIR(inode->mode) ? 0 : inode->entries, hex,
	       inode->target ? " -> " : "", inode->target ? inode->target : "");
	for (size_t i = 0; i < inode->n_xattrs; i++) {
		printf(" %s=", inode->xattrs[i].name);
		for (size_t j = 0; j < inode->xattrs[i].size; j++)
			printf("%02x", inode->xattrs[i].value[j]);
	}
	putchar('\n');
	return 0;
}

static int clear(const char *path, struct mkv_inode *inode, void *context,
		 struct mkv_error *err)
{
	(void)path, (void)context, (void)err;
	inode->mark = 0;
	return 0;
}

struct extraction {
	int fd;
	char *first[1 << 20]; /* paths of inodes with several names */
	size_t count;
};

static int make(int at, const char *name, const struct mkv_inode *inode,
		struct mkv_error *err)
{
	if (S_ISDIR(inode->mode))
		return mkdirat(at, name, 0700) < 0 && errno != EEXIST ? -errno
								      : 0;
	if (S_ISLNK(inode->mode))
		return symlinkat(inode->target, at, name) < 0 ? -errno : 0;
	if (!S_ISREG(inode->mode))
		return mknodat(at, name, inode->mode,
			       makedev(inode->major, inode->minor)) < 0
			       ? -errno
			       : 0;
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -errno;
	int rc = mkv_content_copy_to(inode->content, fd, 0, err);
	return close(fd) < 0 ? -errno : rc;
}

static int extract_entry(const char *path, struct mkv_inode *inode,
			 void *context, struct mkv_error *err)
{
	struct extraction *extraction = context;
	const char *name = path[1] ? path + 1 : ".";
	int at = extraction->fd;
	if (inode->mark && !S_ISDIR(inode->mode))
		return linkat(at, extraction->first[inode->mark - 1] + 1, at,
			      name, 0) < 0
			       ? mkv_fail(err, MKV_FAILED, errno, "%s: %m",
					  path)
			       : 0;
	int rc = make(at, name, inode, err);
	if (rc == 0 && (fchownat(at, name, inode->uid, inode->gid,
				 AT_SYMLINK_NOFOLLOW) < 0 ||
			(!S_ISLNK(inode->mode) &&
			 fchmodat(at, name, inode->mode & 07777, 0) < 0)))
		rc = -errno;
	char proc[64];
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d/", at);
	char *full = NULL;
	if (asprintf(&full, "%s%s", proc, name) < 0)
		return mkv_oom(err);
	for (size_t i = 0; rc == 0 && i < inode->n_xattrs; i++)
		if (lsetxattr(full, inode->xattrs[i].name,
			      inode->xattrs[i].value, inode->xattrs[i].size,
			      0) < 0)
			rc = -errno;
	free(full);
	struct timespec times[2] = {{.tv_sec = inode->mtime_s},
				    {.tv_sec = inode->mtime_s}};
	if (rc == 0 && !S_ISDIR(inode->mode) &&
	    utimensat(at, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		rc = -errno;
	extraction->first[extraction->count++] = strdup(path);
	inode->mark = extraction->count;
	return rc < 0 ? mkv_fail(err, MKV_FAILED, rc, "%s: %m", path) : 0;
}

/* Sets the times of directories, after all their entries were made. */
static int time_entry(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	struct extraction *extraction = context;
	struct timespec times[2] = {{.tv_sec = inode->mtime_s},
				    {.tv_sec = inode->mtime_s}};
	if (S_ISDIR(inode->mode) &&
	    utimensat(extraction->fd, path[1] ? path + 1 : ".", times, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "%s: %m", path);
	return 0;
}

static int read_pack(const char *path, struct mkv_tree **ret,
		     struct mkv_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "%s: %m", path);
	return mkv_pack_open(fd, ret, err);
}

static int run(int argc, char **argv, struct mkv_error *err)
{
	const char *verb = argc > 2 ? argv[1] : "";
	if (strcmp(verb, "build") == 0 && argc > 6)
		return build(argc, argv, err);
	auto_tree struct mkv_tree *tree = NULL;
	if (strcmp(verb, "list") == 0 && argc == 3) {
		int rc = read_pack(argv[2], &tree, err);
		return rc < 0 ? rc : mkv_tree_walk(tree, list_entry, NULL, err);
	}
	if (strcmp(verb, "extract") == 0 && argc == 4) {
		static struct extraction extraction;
		int rc = read_pack(argv[2], &tree, err);
		extraction.fd = open(argv[3], O_RDONLY | O_DIRECTORY);
		if (rc == 0 && extraction.fd < 0)
			rc = mkv_fail(err, MKV_FAILED, errno, "%s", argv[3]);
		if (rc == 0)
			rc = mkv_tree_walk(tree, clear, NULL, err);
		if (rc == 0)
			rc = mkv_tree_walk(tree, extract_entry, &extraction,
					   err);
		return rc < 0 ? rc
			      : mkv_tree_walk(tree, time_entry, &extraction,
					      err);
	}
	return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
			"usage: pack_tool build|list|extract ...");
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	if (run(argc, argv, &err) == 0)
		return 0;
	fprintf(stderr, "pack_tool: %s\n", err.message);
	return mkv_exit_status(err.kind);
}

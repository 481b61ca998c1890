/* SPDX-License-Identifier: MIT */
/* Restores the root of a base from its pack, to install more packages into it.
 */
#include "builder/rootfs/install/rootfs_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "builder/core/tree/pack.h"
#include "lib/grow.h"
#include "lib/io.h"

struct restoring {
	struct mkv_rootfs *rootfs;
	/* First paths of inodes with several names; an inode's mark is its
	 * index here plus 1. */
	char **first_paths;
	size_t count;
};

static void restoring_done(struct restoring *restoring)
{
	for (size_t i = 0; i < restoring->count; i++)
		free(restoring->first_paths[i]);
	free(restoring->first_paths);
}

static int restore_file(int root_fd, const char *name,
			const struct mkv_inode *inode, struct mkv_error *err)
{
	auto_fd int fd = openat(root_fd, name,
				O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "create: %m");
	int rc = mkv_content_copy_to(inode->content, fd, 0, err);
	if (rc < 0)
		return rc;
	/* Owner first: chown(2) clears capabilities and set-user-ID bits. */
	struct timespec times[2] = {{.tv_sec = inode->mtime_s},
				    {.tv_sec = inode->mtime_s}};
	bool done = fchown(fd, inode->uid, inode->gid) == 0 &&
		    fchmod(fd, inode->mode & 07777) == 0;
	for (size_t i = 0; done && i < inode->n_xattrs; i++)
		done = fsetxattr(fd, inode->xattrs[i].name,
				 inode->xattrs[i].value, inode->xattrs[i].size,
				 0) == 0;
	if (!done || futimens(fd, times) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "set metadata: %m");
	return 0;
}

static int restore_special(int root_fd, const char *name,
			   const struct mkv_inode *inode, struct mkv_error *err)
{
	struct timespec times[2] = {{.tv_sec = inode->mtime_s},
				    {.tv_sec = inode->mtime_s}};
	int rc;
	if (S_ISDIR(inode->mode)) /* /dev and /proc exist already */
		rc = mkdirat(root_fd, name, 0700) < 0 && errno != EEXIST ? -1
									 : 0;
	else if (S_ISLNK(inode->mode))
		rc = symlinkat(inode->target, root_fd, name);
	else
		rc = mknodat(root_fd, name, inode->mode,
			     makedev(inode->major, inode->minor));
	if (rc < 0 ||
	    fchownat(root_fd, name, inode->uid, inode->gid,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISLNK(inode->mode) &&
	     fchmodat(root_fd, name, inode->mode & 07777, 0) < 0) ||
	    utimensat(root_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "create: %m");
	return 0;
}

static int remember_first_path(struct restoring *restoring, const char *path,
			       struct mkv_inode *inode, struct mkv_error *err)
{
	char **first_path =
		mkv_grow(&restoring->first_paths, &restoring->count);
	if (!first_path)
		return mkv_oom(err);
	*first_path = strdup(path);
	inode->mark = restoring->count;
	return *first_path ? 0 : mkv_oom(err);
}

static bool is_mounted(const char *path)
{
	return strcmp(path, "/dev") == 0 || strcmp(path, "/proc") == 0;
}

static int restore_entry(const char *path, struct mkv_inode *inode,
			 void *context, struct mkv_error *err)
{
	struct restoring *restoring = context;
	struct mkv_rootfs *rootfs = restoring->rootfs;
	const char *name = path + 1;
	if (!*name || is_mounted(path))
		return 0; /* the sandbox has created them */
	int rc = mkv_known_times_add(&rootfs->base_times, inode->mtime_s, err);
	if (rc < 0)
		return rc;
	if (!S_ISDIR(inode->mode) && inode->mark) {
		const char *first = restoring->first_paths[inode->mark - 1];
		if (linkat(rootfs->root_fd, first + 1, rootfs->root_fd, name,
			   0) < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"restore '%s': %m", path);
		return 0;
	}
	rc = S_ISREG(inode->mode)
		     ? restore_file(rootfs->root_fd, name, inode, err)
		     : restore_special(rootfs->root_fd, name, inode, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "restore '%s'", path);
	bool has_links = !S_ISDIR(inode->mode) && inode->entries > 1;
	return has_links ? remember_first_path(restoring, path, inode, err) : 0;
}

/* Runs last: creating an entry changes the time of its directory. */
static int set_directory_time(const char *path, struct mkv_inode *inode,
			      void *context, struct mkv_error *err)
{
	const struct mkv_rootfs *rootfs = context;
	struct timespec times[2] = {{.tv_sec = inode->mtime_s},
				    {.tv_sec = inode->mtime_s}};
	if (S_ISDIR(inode->mode) && path[1] && !is_mounted(path) &&
	    utimensat(rootfs->root_fd, path + 1, times, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "set time of '%s': %m",
				path);
	return 0;
}

int mkv_rootfs_restore(struct mkv_rootfs *rootfs, int pack_fd,
		       struct mkv_error *err)
{
	int own = fcntl(pack_fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return mkv_fail(err, MKV_FAILED, errno, "dup: %m");
	auto_tree struct mkv_tree *tree = NULL;
	__attribute__((cleanup(restoring_done))) struct restoring restoring = {
		.rootfs = rootfs};
	int rc = mkv_pack_open(own, &tree, err);
	if (rc < 0)
		return rc;
	mkv_tree_clear_marks(tree);
	rc = mkv_tree_walk(tree, restore_entry, &restoring, err);
	return rc < 0 ? rc
		      : mkv_tree_walk(tree, set_directory_time, rootfs, err);
}

/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/io.h"

/* Resolves symbolic links as for a program with this root. The path cannot
 * leave the root, follow a magic link of /proc or cross a mount point. */
static int open_beneath(int root_fd, const char *path, uint64_t flags,
			uint64_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
}

/* mkdir -p beneath the root. Packages contain their own directories; this is
 * for files of the tool and for directories that were excluded. */
static int make_directories(int root_fd, const char *path,
			    struct mkv_error *err)
{
	auto_free char *partial = strdup(path);
	if (!partial)
		return mkv_oom(err);
	auto_fd int fd = open_beneath(root_fd, "/", O_PATH | O_DIRECTORY, 0);
	for (char *at = partial + 1; fd >= 0; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		char end = *at;
		*at = '\0';
		int next =
			open_beneath(root_fd, partial, O_PATH | O_DIRECTORY, 0);
		if (next < 0 && errno == ENOENT) {
			const char *name = strrchr(partial, '/') + 1;
			if (mkdirat(fd, name, 0755) < 0)
				break;
			next = open_beneath(root_fd, partial,
					    O_PATH | O_DIRECTORY, 0);
		}
		if (next < 0)
			break;
		(void)close(fd);
		fd = next;
		*at = end;
		if (end == '\0')
			return 0;
	}
	return mkv_fail(err, MKV_FAILED, errno, "create directory '%s': %m",
			partial);
}

int mkv_rootfs_open_parent(int root_fd, const char *path, int *ret_fd,
			   const char **ret_name, struct mkv_error *err)
{
	const char *slash = strrchr(path, '/');
	if (path[0] != '/' || slash[1] == '\0')
		return mkv_fail(err, MKV_FAILED, EINVAL, "'%s' has no parent",
				path);
	auto_free char *parent =
		strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!parent)
		return mkv_oom(err);
	int fd = open_beneath(root_fd, parent, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 && errno == ENOENT) {
		int rc = make_directories(root_fd, parent, err);
		if (rc < 0)
			return rc;
		fd = open_beneath(root_fd, parent, O_PATH | O_DIRECTORY, 0);
	}
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"open directory '%s': %m", parent);
	*ret_fd = fd;
	*ret_name = slash + 1;
	return 0;
}

static int write_file(int root_fd, const char *path, int flags, mode_t mode,
		      const void *data, size_t size,
		      const struct timespec times[2], struct mkv_error *err)
{
	auto_fd int parent = -1;
	const char *name;
	int rc = mkv_rootfs_open_parent(root_fd, path, &parent, &name, err);
	if (rc < 0)
		return rc;
	auto_fd int fd = openat(
		parent, name,
		O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, mode);
	if (fd < 0 || fchmod(fd, mode) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "write '%s': %m", path);
	rc = mkv_write_all(fd, data, size, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	if (times && futimens(fd, times) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "set time of '%s': %m",
				path);
	return 0;
}

int mkv_rootfs_write(int root_fd, const char *path, mode_t mode,
		     const void *data, size_t size, struct mkv_error *err)
{
	return write_file(root_fd, path, O_TRUNC, mode, data, size, NULL, err);
}

int mkv_rootfs_append(int root_fd, const char *path, const void *data,
		      size_t size, struct mkv_error *err)
{
	return write_file(root_fd, path, O_APPEND, 0644, data, size, NULL, err);
}

int mkv_rootfs_write_control(int root_fd, const char *path,
			     const struct mkv_control_file *file,
			     struct mkv_error *err)
{
	struct timespec times[2] = {{.tv_sec = file->mtime_s},
				    {.tv_sec = file->mtime_s}};
	return write_file(root_fd, path, O_TRUNC, file->permissions, file->data,
			  file->size, file->is_made ? NULL : times, err);
}

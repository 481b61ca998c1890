/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "builder/build/staging_internal.h"
#include "lib/io.h"

static bool names_open_directory(int dirfd, const char *name, int fd)
{
	struct stat named, open;
	return fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &open) == 0 && named.st_ino == open.st_ino &&
	       named.st_dev == open.st_dev;
}

bool mkv_staging_is_at(const char *path, int fd)
{
	return names_open_directory(AT_FDCWD, path, fd);
}

/* -EWOULDBLOCK when a build has locked the directory; -ESTALE when the name was
 * given to another directory between opening and locking. */
static int open_locked(int dirfd, const char *name, int *ret)
{
	auto_fd int fd = openat(
		dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	if (!names_open_directory(dirfd, name, fd))
		return -ESTALE;
	*ret = mkv_take_fd(&fd);
	return 0;
}

static int make_locked(const char *path, int *ret_lock, struct mkv_error *err)
{
	if (mkdir(path, 0755) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"create directory '%s': %m", path);
	/* Between the two calls another build may lock and remove it as stale.
	 */
	int rc = open_locked(AT_FDCWD, path, ret_lock);
	if (rc == -EWOULDBLOCK || rc == -ENOENT || rc == -ESTALE)
		return mkv_fail(err, MKV_FAILED, EEXIST,
				"'%s' was taken by another build", path);
	if (rc < 0) {
		(void)rmdir(path);
		return mkv_fail(err, MKV_FAILED, rc, "lock '%s': %m", path);
	}
	if (fchmod(*ret_lock, 0755) == 0) /* mkdir() applied the umask */
		return 0;
	rc = mkv_fail(err, MKV_FAILED, errno, "chmod '%s': %m", path);
	(void)rmdir(path);
	return rc;
}

int mkv_staging_make(const char *output, const char *name, char **ret_path,
		     int *ret_lock, struct mkv_error *err)
{
	enum { ATTEMPTS = 1000 };
	int rc = 0;
	for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
		auto_free char *path = NULL;
		char suffix[16] = "";
		if (attempt > 0)
			(void)snprintf(suffix, sizeof(suffix), ".%u", attempt);
		if (asprintf(&path, "%s/.%s.new.%ld%s", output, name,
			     (long)getpid(), suffix) < 0)
			return mkv_oom(err);
		rc = make_locked(path, ret_lock, err);
		if (rc == -EEXIST)
			continue;
		if (rc < 0)
			return rc;
		*ret_path = mkv_take(path);
		return 0;
	}
	return rc;
}

/* The build that wrote this appliance, or a short-lived child of it, may hold
 * the lock a moment longer. A build that still writes holds it longer than the
 * attempts here. */
static int open_replaced(const char *path, int *ret)
{
	enum { ATTEMPTS = 200 };
	static const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int rc = open_locked(AT_FDCWD, path, ret);
	for (int i = 0; rc == -EWOULDBLOCK && i < ATTEMPTS; i++) {
		(void)nanosleep(&pause, NULL);
		rc = open_locked(AT_FDCWD, path, ret);
	}
	return rc;
}

int mkv_staging_remove(const char *path, int lock, struct mkv_error *err)
{
	auto_fd int replaced = -1;
	if (lock >= 0 && mkv_staging_is_at(path, lock))
		return mkv_remove_tree(AT_FDCWD, path, err);
	int rc = open_replaced(path, &replaced);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return mkv_fail(err, MKV_FAILED, rc, "lock '%s': %m", path);
	return mkv_remove_tree(AT_FDCWD, path, err);
}

/* "PID" or "PID.N". */
static bool is_staging_suffix(const char *text)
{
	size_t pid = strspn(text, "0123456789");
	size_t rest =
		text[pid] == '.' ? strspn(text + pid + 1, "0123456789") : 0;
	return pid > 0 &&
	       (text[pid] == '\0' || (rest > 0 && !text[pid + 1 + rest]));
}

void mkv_staging_remove_stale(const char *output, const char *name)
{
	auto_dir DIR *dir = opendir(output);
	auto_free char *prefix = NULL;
	if (!dir || asprintf(&prefix, ".%s.new.", name) < 0)
		return;
	size_t length = strlen(prefix);
	for (struct dirent *entry; (entry = readdir(dir));) {
		auto_fd int fd = -1;
		struct mkv_error ignored;
		if (strncmp(entry->d_name, prefix, length) != 0 ||
		    !is_staging_suffix(entry->d_name + length) ||
		    open_locked(dirfd(dir), entry->d_name, &fd) < 0)
			continue;
		/* The next build tries again to remove what fails here. */
		(void)!mkv_remove_tree(dirfd(dir), entry->d_name, &ignored);
	}
}

/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "builder/build/draft_internal.h"
#include "lib/io.h"

static bool is_same(int dirfd, const char *name, int fd)
{
	struct stat named, open;
	return fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &open) == 0 && named.st_ino == open.st_ino &&
	       named.st_dev == open.st_dev;
}

bool mkv_draft_is_at(const char *path, int fd)
{
	return is_same(AT_FDCWD, path, fd);
}

/* -EWOULDBLOCK when a build has it; -ESTALE when the name meanwhile leads to
 * another directory: the one that was locked is no longer anybody's draft. */
static int open_locked(int dirfd, const char *name, int *ret)
{
	auto_fd int fd = openat(
		dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	if (!is_same(dirfd, name, fd))
		return -ESTALE;
	*ret = mkv_take_fd(&fd);
	return 0;
}

static int make(const char *path, int *ret_lock, struct mkv_error *err)
{
	if (mkdir(path, 0755) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"create folder '%s': %m", path);
	/* Another build may have found it between these two calls, unlocked. */
	int rc = open_locked(AT_FDCWD, path, ret_lock);
	if (rc == -EWOULDBLOCK || rc == -ENOENT || rc == -ESTALE)
		return mkv_fail(err, MKV_FAILED, EEXIST,
				"'%s' was taken by another build", path);
	if (rc == 0 && fchmod(*ret_lock, 0755) == 0) /* whatever the umask */
		return 0;
	rc = mkv_fail(err, MKV_FAILED, rc < 0 ? rc : errno, "lock '%s': %m",
		      path);
	(void)rmdir(path);
	return rc;
}

int mkv_draft_make(const char *output, const char *name, char **ret_path,
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
		rc = make(path, ret_lock, err);
		if (rc == 0)
			*ret_path = mkv_take(path);
		if (rc != -EEXIST)
			return rc;
	}
	return rc;
}

/* The build that replaced this appliance, or a shortly running child of it, may
 * have the lock for a moment longer; a build that writes a draft, for long. */
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

int mkv_draft_remove(const char *path, int lock, struct mkv_error *err)
{
	auto_fd int replaced = -1;
	if (lock >= 0 && mkv_draft_is_at(path, lock))
		return mkv_remove_tree(AT_FDCWD, path, err);
	int rc = open_replaced(path, &replaced);
	if (rc == -ENOENT)
		return 0;
	return rc < 0 ? mkv_fail(err, MKV_FAILED, rc, "lock '%s': %m", path)
		      : mkv_remove_tree(AT_FDCWD, path, err);
}

/* "PID" or "PID.N" */
static bool is_suffix(const char *text)
{
	size_t pid = strspn(text, "0123456789");
	size_t rest =
		text[pid] == '.' ? strspn(text + pid + 1, "0123456789") : 0;
	return pid > 0 &&
	       (text[pid] == '\0' || (rest > 0 && !text[pid + 1 + rest]));
}

void mkv_draft_remove_stale(const char *output, const char *name)
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
		    !is_suffix(entry->d_name + length) ||
		    open_locked(dirfd(dir), entry->d_name, &fd) < 0)
			continue;
		/* Whatever can't be removed is left to the next build. */
		(void)!mkv_remove_tree(dirfd(dir), entry->d_name, &ignored);
	}
}

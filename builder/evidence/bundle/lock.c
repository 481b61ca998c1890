/* SPDX-License-Identifier: MIT */
/* The lock is on a file and not on the directory, because a network file system
 * has no locks of directories. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/evidence/bundle/bundle_internal.h"
#include "lib/identity.h"
#include "lib/io.h"
#include "lib/utf8.h"

enum { OWNER_MAX = 512 };

static int refuse(int fd, const char *path, struct mkv_error *err)
{
	char owner[OWNER_MAX + 1] = "";
	ssize_t got = pread(fd, owner, OWNER_MAX, 0);
	owner[got > 0 ? strcspn(owner, "\n") : 0] = '\0';
	for (char *c = owner; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	mkv_utf8_make_valid(owner);
	return mkv_fail(err, MKV_HOST_CANNOT, EBUSY,
			"'%s' is being written by %s: wait for that process "
			"or stop it",
			path, owner[0] ? owner : "another process");
}

static bool is_at(int dirfd, int fd)
{
	struct stat named, open;
	return fstatat(dirfd, MKV_BUNDLE_LOCK, &named, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       fstat(fd, &open) == 0 && named.st_ino == open.st_ino &&
	       named.st_dev == open.st_dev;
}

static int write_owner(int fd, const char *path, struct mkv_error *err)
{
	auto_buf struct mkv_buf owner = {0};
	mkv_identity_process(&owner);
	mkv_buf_char(&owner, '\n');
	int rc = mkv_buf_check(&owner, err);
	if (rc < 0)
		return rc;
	if (ftruncate(fd, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "lock '%s': %m", path);
	rc = mkv_pwrite_all(fd, owner.data, owner.size, 0, err);
	return rc < 0 ? mkv_wrap(err, rc, "lock '%s'", path) : 0;
}

int mkv_bundle_lock(int dirfd, const char *path, int *ret,
		    struct mkv_error *err)
{
	enum { ATTEMPTS = 1000 };
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		auto_fd int fd =
			openat(dirfd, MKV_BUNDLE_LOCK,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd < 0)
			return mkv_fail(err, MKV_FAILED, errno, "lock '%s': %m",
					path);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK
				       ? refuse(fd, path, err)
				       : mkv_fail(err, MKV_FAILED, errno,
						  "lock '%s': %m", path);
		/* Its last owner may have removed it between the two calls. */
		if (!is_at(dirfd, fd))
			continue;
		int rc = write_owner(fd, path, err);
		if (rc < 0)
			return rc;
		*ret = mkv_take_fd(&fd);
		return 0;
	}
	return mkv_fail(err, MKV_FAILED, EBUSY,
			"lock '%s': the file %s changes all the time", path,
			MKV_BUNDLE_LOCK);
}

void mkv_bundle_unlock(int dirfd, int lock)
{
	if (lock < 0)
		return;
	(void)unlinkat(dirfd, MKV_BUNDLE_LOCK, 0);
	(void)close(lock);
}

/* SPDX-License-Identifier: MIT */
/* The directory that an import puts disks into: one import a directory at a
 * time, and gone again with all that was made for it. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "builder/run/import/import_internal.h"
#include "lib/io.h"

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Cuts off the last part; false when nothing would be left. */
static bool cut(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return false;
	*slash = '\0';
	return true;
}

/* An import that ended meanwhile may have removed what was opened. */
static bool is_still_there(int fd, const char *path)
{
	struct stat st, named;
	return fstat(fd, &st) == 0 && lstat(path, &named) == 0 &&
	       st.st_ino == named.st_ino && st.st_dev == named.st_dev;
}

int mkv_import_lock_directory(struct mkv_import *import, struct mkv_error *err)
{
	auto_free char *there = strdup(import->directory);
	if (!there)
		return mkv_oom(err);
	while (!is_directory(there) && cut(there))
		;
	int rc = mkv_make_dirs(import->directory, err);
	if (rc < 0)
		return rc;
	auto_fd int fd = open(import->directory,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m",
				import->directory);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 ||
	    !is_still_there(fd, import->directory))
		return mkv_fail(err, MKV_HOST_CANNOT, EBUSY,
				"'%s': another import is at work there",
				import->directory);
	import->there_length = strlen(there);
	import->lock_fd = mkv_take_fd(&fd);
	return 0;
}

void mkv_import_remove_directory(struct mkv_import *import)
{
	auto_free char *path =
		import->lock_fd < 0 ? NULL : strdup(import->directory);
	/* What holds anything stays, and so do its parents. */
	for (bool more = path; more && strlen(path) > import->there_length;
	     more = cut(path))
		(void)rmdir(path);
}

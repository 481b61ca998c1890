/* SPDX-License-Identifier: MIT */
/* The directory of an import's disks: locked against other imports, and removed
 * again when the import fails. */
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

/* Cuts off the last component of a path; false when only one is left. */
static bool cut_last_component(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return false;
	*slash = '\0';
	return true;
}

/* A failed import may have removed the directory after it was opened here. */
static bool is_same_directory(int fd, const char *path)
{
	struct stat st, named;
	return fstat(fd, &st) == 0 && lstat(path, &named) == 0 &&
	       st.st_ino == named.st_ino && st.st_dev == named.st_dev;
}

int mkv_import_lock_directory(struct mkv_import *import, struct mkv_error *err)
{
	auto_free char *existing = strdup(import->directory);
	if (!existing)
		return mkv_oom(err);
	while (!is_directory(existing) && cut_last_component(existing))
		;
	int rc = mkv_make_dirs(import->directory, err);
	if (rc < 0)
		return rc;
	auto_fd int fd = open(import->directory,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				import->directory);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 ||
	    !is_same_directory(fd, import->directory))
		return mkv_fail(err, MKV_HOST_CANNOT, EBUSY,
				"'%s' is in use by another import",
				import->directory);
	import->existing_length = strlen(existing);
	import->lock_fd = mkv_take_fd(&fd);
	return 0;
}

void mkv_import_remove_directory(struct mkv_import *import)
{
	auto_free char *path =
		import->lock_fd < 0 ? NULL : strdup(import->directory);
	/* rmdir() keeps a directory that is not empty, and so its parents. */
	for (bool more = path; more && strlen(path) > import->existing_length;
	     more = cut_last_component(path))
		(void)rmdir(path);
}

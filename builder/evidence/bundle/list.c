/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/bundle/bundle_internal.h"

enum { DEPTH_MAX = 16, PATHS_MAX = 1000000 };

static bool is_skipped(const char *name, const char *const *skip)
{
	for (; skip && *skip; skip++)
		if (strcmp(name, *skip) == 0)
			return true;
	return false;
}

static int list_entries(int dirfd, const char *name, const char *path,
			const char *const *skip, unsigned depth,
			struct mkv_strings *ret, struct mkv_error *err);

static int list_entry(int dirfd, const char *name, const char *path,
		      unsigned depth, struct mkv_strings *ret,
		      struct mkv_error *err)
{
	struct stat st;
	auto_free char *below = NULL;
	if (asprintf(&below, "%s%s%s", path, *path ? "/" : "", name) < 0)
		return mkv_oom(err);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", below);
	if (S_ISDIR(st.st_mode))
		return list_entries(dirfd, name, below, NULL, depth + 1, ret,
				    err);
	if (!S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"'%s' isn't a regular file", below);
	if (ret->count == PATHS_MAX)
		return mkv_fail(err, MKV_UNVERIFIED, E2BIG,
				"more than %d files", PATHS_MAX);
	return mkv_strings_append(ret, mkv_take(below), err);
}

static int list_entries(int dirfd, const char *name, const char *path,
			const char *const *skip, unsigned depth,
			struct mkv_strings *ret, struct mkv_error *err)
{
	if (depth > DEPTH_MAX)
		return mkv_fail(err, MKV_UNVERIFIED, ELOOP,
				"'%s' is nested too deeply", path);
	auto_fd int fd = openat(
		dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	auto_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				*path ? path : name);
	int own = mkv_take_fd(&fd);
	for (struct dirent *e; (e = readdir(dir));) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 || is_skipped(e->d_name, skip))
			continue;
		int rc = list_entry(own, e->d_name, path, depth, ret, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int mkv_bundle_list(int dirfd, const char *path, const char *const *skip,
		    struct mkv_strings *ret, struct mkv_error *err)
{
	int rc = list_entries(dirfd, path, "", skip, 0, ret, err);
	if (rc < 0)
		return rc;
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items),
		      compare_words);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "lib/sync.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/auto.h"
#include "lib/thread.h"

static int sync_entries(int fd, struct mkv_error *err);

static int sync_entry(int dirfd, const char *name, struct mkv_error *err)
{
	auto_fd int fd = openat(dirfd, name,
				O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 && errno == ELOOP)
		return 0; /* the link is part of its directory */
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", name);
	int rc = S_ISDIR(st.st_mode) ? sync_entries(fd, err) : 0;
	if (rc < 0)
		return rc;
	return fsync(fd) < 0 ? mkv_fail(err, MKV_FAILED, errno,
					"fsync '%s': %m", name)
			     : 0;
}

static int sync_entries(int fd, struct mkv_error *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	auto_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		mkv_auto_close_(&copy);
		return mkv_fail(err, MKV_FAILED, errno, "read directory: %m");
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		int rc = sync_entry(fd, entry->d_name, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_sync_tree(const char *path, struct mkv_error *err)
{
	int rc = sync_entry(AT_FDCWD, path, err);
	return rc < 0 ? mkv_wrap(err, rc, "sync '%s' to the disk", path) : 0;
}

struct mkv_syncing {
	pthread_t thread;
	char *path;
	int rc;
	struct mkv_error error;
};

static void *run_sync(void *context)
{
	struct mkv_syncing *syncing = context;
	syncing->rc = mkv_sync_tree(syncing->path, &syncing->error);
	return NULL;
}

int mkv_syncing_start(const char *path, struct mkv_syncing **ret,
		      struct mkv_error *err)
{
	auto_free struct mkv_syncing *syncing = calloc(1, sizeof(*syncing));
	auto_free char *own = strdup(path);
	if (!syncing || !own)
		return mkv_oom(err);
	syncing->path = own;
	int rc = mkv_thread_start(&syncing->thread, run_sync, syncing, err,
				  "sync of '%s'", own);
	if (rc < 0)
		return rc;
	(void)mkv_take(own);
	*ret = mkv_take(syncing);
	return 0;
}

int mkv_syncing_finish(struct mkv_syncing *syncing, struct mkv_error *err)
{
	(void)pthread_join(syncing->thread, NULL);
	int rc = syncing->rc;
	if (rc < 0)
		*err = syncing->error;
	free(syncing->path);
	free(syncing);
	return rc;
}

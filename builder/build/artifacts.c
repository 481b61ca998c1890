/* SPDX-License-Identifier: MIT */
#include "builder/build/artifacts.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/grow.h"

enum { THREADS_MAX = 16, DEPTH_MAX = 16 };

void mkv_artifacts_done(struct mkv_artifacts *artifacts)
{
	for (size_t i = 0; i < artifacts->count; i++)
		free(artifacts->items[i].path);
	free(artifacts->items);
	*artifacts = (struct mkv_artifacts){0};
}

static int append_artifact(struct mkv_artifacts *list, const char *path,
			   const struct stat *st, struct mkv_error *err)
{
	struct mkv_artifact *artifact = mkv_grow(&list->items, &list->count);
	if (!artifact)
		return mkv_oom(err);
	artifact->size_bytes = (uint64_t)st->st_size;
	artifact->path = strdup(path);
	return artifact->path ? 0 : mkv_oom(err);
}

static int find_files(int dirfd, const char *prefix, unsigned depth,
		      struct mkv_artifacts *list, struct mkv_error *err);

static int add_entry(int dirfd, const char *prefix, const char *name,
		     unsigned depth, struct mkv_artifacts *list,
		     struct mkv_error *err)
{
	struct stat st;
	auto_free char *path = NULL;
	if (asprintf(&path, "%s%s%s", prefix, prefix[0] ? "/" : "", name) < 0)
		return mkv_oom(err);
	auto_fd int fd = openat(dirfd, name,
				O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	if (S_ISDIR(st.st_mode))
		return find_files(fd, path, depth + 1, list, err);
	if (S_ISREG(st.st_mode))
		return append_artifact(list, path, &st, err);
	return mkv_fail(err, MKV_FAILED, EINVAL, "'%s' is not a regular file",
			path);
}

static int find_files(int dirfd, const char *prefix, unsigned depth,
		      struct mkv_artifacts *list, struct mkv_error *err)
{
	if (depth > DEPTH_MAX)
		return mkv_fail(err, MKV_FAILED, ELOOP,
				"directory '%s' is nested too deep (at most %d "
				"levels)",
				prefix, DEPTH_MAX);
	int copy = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	auto_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		mkv_auto_close_(&copy);
		return mkv_fail(err, MKV_FAILED, errno,
				"read directory '%s': %m", prefix);
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		int rc = add_entry(dirfd, prefix, name, depth, list, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct mkv_artifact *)a)->path,
		      ((const struct mkv_artifact *)b)->path);
}

static int list_files(const char *dir, int *ret_fd, struct mkv_artifacts *ret,
		      struct mkv_error *err)
{
	*ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", dir);
	int rc = find_files(*ret_fd, "", 0, ret, err);
	if (rc < 0)
		return rc;
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items),
		      compare_paths);
	return 0;
}

int mkv_artifacts_merge(struct mkv_artifacts *into, const char *name,
			struct mkv_artifacts *from, struct mkv_error *err)
{
	for (size_t i = 0; i < from->count; i++) {
		char *path = NULL;
		struct mkv_artifact *artifact =
			mkv_grow(&into->items, &into->count);
		if (!artifact ||
		    asprintf(&path, "%s/%s", name, from->items[i].path) < 0)
			return mkv_oom(err);
		*artifact = from->items[i];
		artifact->path = path;
	}
	mkv_artifacts_done(from);
	if (into->count)
		qsort(into->items, into->count, sizeof(*into->items),
		      compare_paths);
	return 0;
}

/* State that the hashing threads share. */
struct work {
	struct mkv_artifacts *list;
	const struct mkv_artifacts *known; /* or NULL */
	int dirfd;
	atomic_size_t next;
	pthread_mutex_t lock;
	int rc;
	struct mkv_error *err; /* of the first failure; guarded by the lock */
};

static int hash_artifact(const struct work *work, struct mkv_artifact *artifact,
			 struct mkv_error *err)
{
	auto_fd int fd = openat(work->dirfd, artifact->path,
				O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				artifact->path);
	int rc = mkv_sha256_fd(fd, &artifact->sha256, &artifact->size_bytes,
			       err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", artifact->path) : 0;
}

/* Copies the digest of a file that was hashed before. */
static bool take_known(const struct work *work, struct mkv_artifact *artifact)
{
	const struct mkv_artifacts *known = work->known;
	const struct mkv_artifact *found =
		known && known->count
			? bsearch(artifact, known->items, known->count,
				  sizeof(*known->items), compare_paths)
			: NULL;
	if (!found || found->size_bytes != artifact->size_bytes)
		return false;
	artifact->sha256 = found->sha256;
	return true;
}

static void *hash_artifacts(void *context)
{
	struct work *work = context;
	for (;;) {
		size_t i = atomic_fetch_add(&work->next, 1);
		if (i >= work->list->count)
			return NULL;
		struct mkv_error err = {0};
		if (take_known(work, &work->list->items[i]))
			continue;
		int rc = hash_artifact(work, &work->list->items[i], &err);
		if (rc == 0)
			continue;
		(void)pthread_mutex_lock(&work->lock);
		if (work->rc == 0) {
			work->rc = rc;
			*work->err = err;
		}
		(void)pthread_mutex_unlock(&work->lock);
		return NULL;
	}
}

int mkv_artifacts_scan(const char *dir, const struct mkv_artifacts *known,
		       struct mkv_artifacts *ret, struct mkv_error *err)
{
	auto_artifacts struct mkv_artifacts list = {0};
	auto_fd int dirfd = -1;
	int rc = list_files(dir, &dirfd, &list, err);
	if (rc < 0)
		return rc;
	struct work work = {.list = &list,
			    .known = known,
			    .dirfd = dirfd,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .err = err};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t limit = cpus < 1 ? 1 : (size_t)cpus;
	pthread_t threads[THREADS_MAX];
	size_t started = 0;
	while (started + 1 < limit && started < THREADS_MAX &&
	       pthread_create(&threads[started], NULL, hash_artifacts, &work) ==
		       0)
		started++;
	(void)hash_artifacts(&work);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	if (work.rc < 0)
		return work.rc;
	*ret = list;
	list = (struct mkv_artifacts){0};
	return 0;
}

int mkv_artifacts_fingerprint(const char *dir, struct mkv_buf *ret,
			      struct mkv_error *err)
{
	auto_artifacts struct mkv_artifacts list = {0};
	auto_fd int dirfd = -1;
	int rc = list_files(dir, &dirfd, &list, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < list.count; i++) {
		struct stat st;
		const char *path = list.items[i].path;
		if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return mkv_fail(err, MKV_FAILED, errno, "stat '%s': %m",
					path);
		mkv_buf_printf(
			ret, "%s %lld %llu %lld.%09ld\n", path,
			(long long)st.st_size, (unsigned long long)st.st_ino,
			(long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	}
	return mkv_buf_check(ret, err);
}

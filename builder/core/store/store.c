/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "builder/core/store/store_internal.h"
#include "lib/io.h"

/* Objects get no fsync: whoever opens one hashes it first, so that what a power
 * cut left half-written counts as missing. */

void mkv_store_entry_path(const char *kind, const struct mkv_sha256 *sha256,
			  char ret[static ENTRY_PATH_MAX])
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(sha256, hex);
	(void)snprintf(ret, ENTRY_PATH_MAX, "%s/%.2s/%s", kind, hex, hex + 2);
}

int mkv_store_entry_folder(const struct mkv_store *store, const char *path,
			   struct mkv_error *err)
{
	char folder[ENTRY_PATH_MAX];
	(void)snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	if (mkdirat(store->fd, folder, 0755) < 0 && errno != EEXIST)
		return mkv_fail(err, MKV_FAILED, errno,
				"create folder '%s/%s': %m", store->path,
				folder);
	return 0;
}

static char *default_path(void)
{
	char *path = NULL;
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	int rc = -1;
	if (cache && cache[0] == '/')
		rc = asprintf(&path, "%s/mkvbench", cache);
	else if (home && home[0] == '/')
		rc = asprintf(&path, "%s/.cache/mkvbench", home);
	return rc < 0 ? NULL : path;
}

/* What a killed build left in tmp/. A file that is being written is locked. */
static void sweep(const struct mkv_store *store)
{
	int fd = openat(store->fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		mkv_auto_close_(&fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		auto_fd int file =
			openat(fd, entry->d_name,
			       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		struct stat st;
		if (file >= 0 && fstat(file, &st) == 0 && S_ISREG(st.st_mode) &&
		    flock(file, LOCK_EX | LOCK_NB) == 0)
			(void)unlinkat(fd, entry->d_name, 0);
	}
}

int mkv_store_open(const char *path, struct mkv_store **ret,
		   struct mkv_error *err)
{
	static const char *const folders[] = {"objects", "steps", "partial",
					      "tmp"};
	auto_free char *own = path ? strdup(path) : default_path();
	if (!own && path)
		return mkv_oom(err);
	if (!own)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
				"no place for the store: neither "
				"XDG_CACHE_HOME nor HOME is an absolute path");
	int rc = mkv_make_dirs(own, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "store");
	auto_store struct mkv_store *store = calloc(1, sizeof(*store));
	if (!store)
		return mkv_oom(err);
	(void)pthread_mutex_init(&store->mutex, NULL);
	store->path = mkv_take(own);
	store->fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open store '%s': %m",
				store->path);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdirat(store->fd, folders[i], 0755) < 0 && errno != EEXIST)
			return mkv_fail(err, MKV_FAILED, errno,
					"create folder '%s/%s': %m",
					store->path, folders[i]);
	sweep(store);
	*ret = mkv_take(store);
	return 0;
}

void mkv_store_free(struct mkv_store *store)
{
	if (!store)
		return;
	mkv_verified_done(&store->verified);
	(void)pthread_mutex_destroy(&store->mutex);
	mkv_auto_close_(&store->fd);
	free(store->path);
	free(store);
}

const char *mkv_store_path(const struct mkv_store *store)
{
	return store->path;
}

bool mkv_store_has(struct mkv_store *store, const struct mkv_sha256 *sha256)
{
	char path[ENTRY_PATH_MAX];
	struct stat st;
	mkv_store_entry_path("objects", sha256, path);
	return fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode);
}

static bool is_known_good(struct mkv_store *store,
			  const struct mkv_sha256 *sha256,
			  const struct stat *st)
{
	(void)pthread_mutex_lock(&store->mutex);
	bool good = mkv_verified_has(&store->verified, sha256, st);
	(void)pthread_mutex_unlock(&store->mutex);
	return good;
}

static void remember_good(struct mkv_store *store,
			  const struct mkv_sha256 *sha256,
			  const struct stat *st)
{
	(void)pthread_mutex_lock(&store->mutex);
	mkv_verified_put(&store->verified, sha256, st);
	(void)pthread_mutex_unlock(&store->mutex);
}

/* Another build may have put a good one in its place meanwhile. */
static void remove_damaged(const struct mkv_store *store, const char *path,
			   const struct stat *damaged)
{
	struct stat now;
	if (fstatat(store->fd, path, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now.st_ino == damaged->st_ino && now.st_dev == damaged->st_dev)
		(void)unlinkat(store->fd, path, 0);
}

int mkv_store_get(struct mkv_store *store, const struct mkv_sha256 *sha256,
		  int *ret_fd, struct mkv_error *err)
{
	char path[ENTRY_PATH_MAX];
	mkv_store_entry_path("objects", sha256, path);
	auto_fd int fd = openat(store->fd, path,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	bool opened = fd >= 0 && fstat(fd, &st) == 0;
	if (!opened && errno != ELOOP)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s/%s': %m",
				store->path, path);
	if (!opened || !S_ISREG(st.st_mode)) {
		(void)unlinkat(store->fd, path, 0);
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"'%s/%s' was not a regular file and is removed",
				store->path, path);
	}
	if (!is_known_good(store, sha256, &st)) {
		struct mkv_sha256 found;
		int rc = mkv_sha256_fd(fd, &found, NULL, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "'%s/%s'", store->path, path);
		if (!mkv_sha256_equal(&found, sha256)) {
			remove_damaged(store, path, &st);
			return mkv_fail(err, MKV_FAILED, ENOENT,
					"'%s/%s' was damaged and is removed",
					store->path, path);
		}
		if (lseek(fd, 0, SEEK_SET) < 0)
			return mkv_fail(err, MKV_FAILED, errno, "seek: %m");
		remember_good(store, sha256, &st);
	}
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

/* Opens and locks a file to write to. -EAGAIN when `wait` is false and another
 * build holds it; -ESTALE when a sweep took it between the two steps, or
 * another build finished it and gave it its final name. */
static int open_locked(const struct mkv_store *store, const char *name,
		       int flags, bool wait, int *ret_fd)
{
	auto_fd int fd = openat(store->fd, name,
				O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
					O_NONBLOCK | flags,
				0600);
	struct stat st;
	if (fd < 0 || flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0 ||
	    fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	struct stat named;
	if (fstatat(store->fd, name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    named.st_ino != st.st_ino || named.st_dev != st.st_dev)
		return -ESTALE;
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

int mkv_store_new_open(struct mkv_store *store, struct mkv_store_new *ret,
		       struct mkv_error *err)
{
	static atomic_uint count;
	for (int attempt = 0; attempt < 100; attempt++) {
		auto_free char *name = NULL;
		if (asprintf(&name, "tmp/%ld.%u", (long)getpid(),
			     atomic_fetch_add(&count, 1)) < 0)
			return mkv_oom(err);
		int fd = -1;
		int rc = open_locked(store, name, O_EXCL, true, &fd);
		if (rc == -ESTALE || rc == -EEXIST)
			continue;
		if (rc < 0)
			return mkv_fail(err, MKV_FAILED, rc,
					"create '%s/%s': %m", store->path,
					name);
		*ret = (struct mkv_store_new){
			.fd = fd, .temporary = mkv_take(name), .store = store};
		return 0;
	}
	return mkv_fail(err, MKV_FAILED, EEXIST, "no free name in '%s/tmp'",
			store->path);
}

int mkv_store_partial_open(struct mkv_store *store,
			   const struct mkv_sha256 *sha256,
			   struct mkv_store_new *ret, struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(sha256, hex);
	auto_free char *name = NULL;
	if (asprintf(&name, "partial/%s", hex) < 0)
		return mkv_oom(err);
	int fd = -1;
	int rc = -ESTALE;
	for (int attempt = 0; rc == -ESTALE && attempt < 100; attempt++)
		rc = open_locked(store, name, 0, false, &fd);
	if (rc < 0)
		return mkv_fail(err, MKV_FAILED, rc, "open '%s/%s': %m",
				store->path, name);
	*ret = (struct mkv_store_new){.fd = fd,
				      .temporary = mkv_take(name),
				      .store = store,
				      .is_partial = true};
	return 0;
}

int mkv_store_new_commit(struct mkv_store_new *object,
			 const struct mkv_sha256 *known,
			 struct mkv_sha256 *ret_sha256, struct mkv_error *err)
{
	struct mkv_store *store = object->store;
	struct mkv_sha256 sha256;
	if (known) {
		sha256 = *known;
	} else {
		if (lseek(object->fd, 0, SEEK_SET) < 0)
			return mkv_fail(err, MKV_FAILED, errno, "seek: %m");
		int rc = mkv_sha256_fd(object->fd, &sha256, NULL, err);
		if (rc < 0)
			return rc;
	}
	char path[ENTRY_PATH_MAX];
	mkv_store_entry_path("objects", &sha256, path);
	int rc = mkv_store_entry_folder(store, path, err);
	if (rc < 0)
		return rc;
	if (fchmod(object->fd, 0444) < 0 ||
	    renameat(store->fd, object->temporary, store->fd, path) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "rename to '%s/%s': %m",
				store->path, path);
	free(mkv_take(object->temporary));
	struct stat st;
	bool seen = fstat(object->fd, &st) == 0;
	if (close(mkv_take_fd(&object->fd)) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "write '%s/%s': %m",
				store->path, path);
	if (seen)
		remember_good(store, &sha256, &st);
	*ret_sha256 = sha256;
	return 0;
}

void mkv_store_new_done(struct mkv_store_new *object)
{
	struct stat st;
	bool keep = object->is_partial && object->fd >= 0 &&
		    fstat(object->fd, &st) == 0 && st.st_size > 0;
	if (object->temporary && !keep)
		(void)unlinkat(object->store->fd, object->temporary, 0);
	mkv_auto_close_(&object->fd);
	free(object->temporary);
	*object = (struct mkv_store_new)MKV_STORE_NEW_INIT;
}

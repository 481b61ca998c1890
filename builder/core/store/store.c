/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "builder/core/store/store_internal.h"
#include "lib/io.h"

/* Objects are not synced: every object is hashed when it is opened, so that an
 * object which a power failure left incomplete counts as missing. */

const char *mkv_store_directory_name(enum mkv_store_directory directory)
{
	static const char *const names[MKV_STORE_DIRECTORIES] = {
		[MKV_STORE_OBJECTS] = "objects",
		[MKV_STORE_STEPS] = "steps",
		[MKV_STORE_PARTIAL] = "partial",
		[MKV_STORE_TMP] = "tmp",
	};
	return names[directory];
}

int mkv_store_fail(const char *path, int code, const char *what,
		   struct mkv_error *err)
{
	struct stat st;
	code = abs(code);
	if ((code == EACCES || code == EPERM) && stat(path, &st) == 0 &&
	    st.st_uid != geteuid())
		return mkv_fail(err, MKV_FAILED, code,
				"store '%s' belongs to user %u: %s: %m: choose "
				"another --store",
				path, (unsigned)st.st_uid, what);
	return mkv_fail(err, MKV_FAILED, code, "store '%s': %s: %m", path,
			what);
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

/* Removes files that killed builds left in tmp/. A file that is being written
 * is locked. */
static void sweep_tmp(const struct mkv_store *store)
{
	int fd = openat(store->directories[MKV_STORE_TMP], ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		mkv_auto_close_(&fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!mkv_store_is_temporary(entry->d_name))
			continue;
		auto_fd int file =
			openat(fd, entry->d_name,
			       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		struct stat st;
		if (file >= 0 && fstat(file, &st) == 0 && S_ISREG(st.st_mode) &&
		    flock(file, LOCK_EX | LOCK_NB) == 0)
			(void)unlinkat(fd, entry->d_name, 0);
	}
}

int mkv_store_check_writable(const struct mkv_store *store,
			     struct mkv_error *err)
{
	if (store->is_for_reading)
		return mkv_fail(err, MKV_FAILED, EROFS,
				"store '%s' is open for reading only",
				store->path);
	return 0;
}

int mkv_store_directory_open(const struct mkv_store *store, const char *name,
			     int *ret_fd, struct mkv_error *err)
{
	if (store->fd < 0)
		return mkv_fail(err, MKV_FAILED, ENOENT, "open '%s/%s': %m",
				store->path, name);
	if (!store->is_for_reading && mkdirat(store->fd, name, 0755) < 0 &&
	    errno != EEXIST)
		return mkv_store_fail(store->path, errno,
				      "create a directory in it", err);
	int fd = openat(store->fd, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return mkv_fail(err, MKV_FAILED, ENOTDIR,
				"'%s/%s' is a link or not a directory, and no "
				"link in a store is followed: remove it or "
				"choose another --store",
				store->path, name);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s/%s': %m",
				store->path, name);
	*ret_fd = fd;
	return 0;
}

static int open_directories(struct mkv_store *store, struct mkv_error *err)
{
	for (enum mkv_store_directory i = 0; i < MKV_STORE_DIRECTORIES; i++) {
		int rc = mkv_store_directory_open(store,
						  mkv_store_directory_name(i),
						  &store->directories[i], err);
		if (rc < 0 && !(store->is_for_reading && rc == -ENOENT))
			return rc;
	}
	return 0;
}

static int new_store(const char *path, bool is_for_reading,
		     struct mkv_store **ret, struct mkv_error *err)
{
	auto_free char *own = path ? strdup(path) : default_path();
	if (!own && path)
		return mkv_oom(err);
	if (!own)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
				"no default path for the store: neither "
				"XDG_CACHE_HOME nor HOME is an absolute path: "
				"give --store");
	struct mkv_store *store = calloc(1, sizeof(*store));
	if (!store)
		return mkv_oom(err);
	(void)pthread_mutex_init(&store->mutex, NULL);
	store->path = mkv_take(own);
	store->is_for_reading = is_for_reading;
	store->fd = -1;
	for (enum mkv_store_directory i = 0; i < MKV_STORE_DIRECTORIES; i++)
		store->directories[i] = -1;
	*ret = store;
	return 0;
}

/* The store's own path may be a link: the user chose it. */
static int open_root(struct mkv_store *store, struct mkv_error *err)
{
	store->fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd < 0 && errno == ENOTDIR)
		return mkv_fail(err, MKV_BAD_USAGE, errno,
				"store '%s': %m: choose another --store",
				store->path);
	if (store->fd < 0)
		return mkv_store_fail(store->path, errno, "open the directory",
				      err);
	return 0;
}

int mkv_store_open(const char *path, struct mkv_store **ret,
		   struct mkv_error *err)
{
	auto_store struct mkv_store *store = NULL;
	int rc = new_store(path, false, &store, err);
	if (rc < 0)
		return rc;
	if (access(store->path, F_OK) < 0 && errno == ENOENT)
		rc = mkv_make_dirs(store->path, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "store");
	rc = open_root(store, err);
	if (rc < 0)
		return rc;
	rc = mkv_store_mark_ensure(store->fd, store->path, err);
	if (rc < 0)
		return rc;
	rc = open_directories(store, err);
	if (rc < 0)
		return rc;
	sweep_tmp(store);
	*ret = mkv_take(store);
	return 0;
}

int mkv_store_open_for_reading(const char *path, struct mkv_store **ret,
			       struct mkv_error *err)
{
	auto_store struct mkv_store *store = NULL;
	enum mkv_store_state state;
	int rc = new_store(path, true, &store, err);
	if (rc < 0)
		return rc;
	rc = open_root(store, err);
	if (rc == -ENOENT) {
		*ret = mkv_take(store);
		return 0;
	}
	if (rc < 0)
		return rc;
	rc = mkv_store_mark_read(store->fd, store->path, &state, err);
	if (rc < 0)
		return rc;
	rc = open_directories(store, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(store);
	return 0;
}

void mkv_store_free(struct mkv_store *store)
{
	if (!store)
		return;
	mkv_verified_done(&store->verified);
	(void)pthread_mutex_destroy(&store->mutex);
	for (enum mkv_store_directory i = 0; i < MKV_STORE_DIRECTORIES; i++)
		mkv_auto_close_(&store->directories[i]);
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
	auto_store_entry struct mkv_store_entry entry = MKV_STORE_ENTRY_INIT;
	struct mkv_error ignored;
	struct stat st;
	return mkv_store_entry_open(store, MKV_STORE_OBJECTS, sha256, false,
				    &entry, &ignored) == 0 &&
	       fstatat(entry.directory, entry.name, &st, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
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

void mkv_store_remember(struct mkv_store *store,
			const struct mkv_sha256 *sha256, const struct stat *st)
{
	(void)pthread_mutex_lock(&store->mutex);
	mkv_verified_put(&store->verified, sha256, st);
	(void)pthread_mutex_unlock(&store->mutex);
}

int mkv_store_get(struct mkv_store *store, const struct mkv_sha256 *sha256,
		  int *ret_fd, struct mkv_error *err)
{
	auto_store_entry struct mkv_store_entry entry = MKV_STORE_ENTRY_INIT;
	auto_fd int fd = -1;
	struct stat st;
	int rc = mkv_store_entry_open(store, MKV_STORE_OBJECTS, sha256, false,
				      &entry, err);
	if (rc < 0)
		return rc;
	rc = mkv_store_entry_read(store, &entry, &fd, &st, err);
	if (rc < 0)
		return rc;
	if (!is_known_good(store, sha256, &st)) {
		struct mkv_sha256 found;
		rc = mkv_sha256_fd(fd, &found, NULL, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "'%s/%s'", store->path,
					entry.path);
		if (!mkv_sha256_equal(&found, sha256))
			return mkv_store_entry_remove(store, &entry, &st,
						      "is damaged", err);
		if (lseek(fd, 0, SEEK_SET) < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"seek in '%s/%s': %m", store->path,
					entry.path);
		mkv_store_remember(store, sha256, &st);
	}
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

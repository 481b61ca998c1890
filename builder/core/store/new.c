/* SPDX-License-Identifier: MIT */
/* Files that are being written: new objects in tmp/, downloads in partial/. */
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "builder/core/store/store_internal.h"

static int directory_of(const struct mkv_store_new *file)
{
	return file->store->directories[file->is_partial ? MKV_STORE_PARTIAL
							 : MKV_STORE_TMP];
}

/* Opens and locks a file for writing. -EAGAIN when `wait` is false and another
 * build holds the lock; -ESTALE when between opening and locking a sweep
 * removed the file or another build renamed it to its final name; -EINVAL when
 * the name belongs to anything but a regular file with this single name. */
static int open_locked(int directory, const char *name, int flags, bool wait,
		       int *ret_fd)
{
	auto_fd int fd = openat(directory, name,
				O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
					O_NONBLOCK | O_NOCTTY | flags,
				0600);
	struct stat st;
	if (fd < 0 && (errno == ELOOP || errno == ENXIO || errno == EISDIR))
		return -EINVAL;
	if (fd < 0 || flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0 ||
	    fstat(fd, &st) < 0)
		return -errno;
	struct stat named;
	if (fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    named.st_ino != st.st_ino || named.st_dev != st.st_dev)
		return -ESTALE;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return -EINVAL;
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

int mkv_store_new_open(struct mkv_store *store, struct mkv_store_new *ret,
		       struct mkv_error *err)
{
	static atomic_uint count;
	enum { ATTEMPTS = 1000 };
	int rc = mkv_store_check_writable(store, err);
	if (rc < 0)
		return rc;
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		auto_free char *name = NULL;
		if (asprintf(&name, "%ld.%u", (long)getpid(),
			     atomic_fetch_add(&count, 1)) < 0)
			return mkv_oom(err);
		int fd = -1;
		rc = open_locked(store->directories[MKV_STORE_TMP], name,
				 O_EXCL, true, &fd);
		if (rc == -ESTALE || rc == -EEXIST)
			continue;
		if (rc < 0)
			return mkv_store_fail(store->path, rc,
					      "create a file in tmp/", err);
		*ret = (struct mkv_store_new){
			.fd = fd, .temporary = mkv_take(name), .store = store};
		return 0;
	}
	return mkv_fail(err, MKV_FAILED, EEXIST,
			"store '%s': no unused name in tmp/ after %d attempts",
			store->path, ATTEMPTS);
}

int mkv_store_partial_open(struct mkv_store *store,
			   const struct mkv_sha256 *sha256,
			   struct mkv_store_new *ret, struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(sha256, hex);
	int rc = mkv_store_check_writable(store, err);
	if (rc < 0)
		return rc;
	auto_free char *name = strdup(hex);
	if (!name)
		return mkv_oom(err);
	int directory = store->directories[MKV_STORE_PARTIAL];
	int fd = -1;
	rc = -ESTALE;
	for (int attempt = 0; rc == -ESTALE && attempt < 100; attempt++) {
		rc = open_locked(directory, name, 0, false, &fd);
		/* A link, a FIFO or a file with another hard link. */
		if (rc == -EINVAL && unlinkat(directory, name, 0) == 0)
			rc = -ESTALE;
	}
	if (rc < 0)
		return mkv_fail(err, MKV_FAILED, rc, "open '%s/partial/%s': %m",
				store->path, name);
	*ret = (struct mkv_store_new){.fd = fd,
				      .temporary = mkv_take(name),
				      .store = store,
				      .is_partial = true};
	return 0;
}

int mkv_store_new_place(struct mkv_store_new *file,
			enum mkv_store_directory directory,
			const struct mkv_sha256 *sha256, struct stat *ret_st,
			struct mkv_error *err)
{
	struct mkv_store *store = file->store;
	auto_store_entry struct mkv_store_entry entry = MKV_STORE_ENTRY_INIT;
	int rc = mkv_store_entry_open(store, directory, sha256, true, &entry,
				      err);
	if (rc < 0)
		return rc;
	if (fchmod(file->fd, 0444) < 0 ||
	    renameat(directory_of(file), file->temporary, entry.directory,
		     entry.name) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "rename to '%s/%s': %m",
				store->path, entry.path);
	free(mkv_take(file->temporary));
	if (ret_st && fstat(file->fd, ret_st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stat '%s/%s': %m",
				store->path, entry.path);
	if (close(mkv_take_fd(&file->fd)) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "write '%s/%s': %m",
				store->path, entry.path);
	return 0;
}

int mkv_store_new_commit(struct mkv_store_new *object,
			 const struct mkv_sha256 *known,
			 struct mkv_sha256 *ret_sha256, struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	struct stat st;
	if (known) {
		sha256 = *known;
	} else {
		if (lseek(object->fd, 0, SEEK_SET) < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"seek in a new object: %m");
		int rc = mkv_sha256_fd(object->fd, &sha256, NULL, err);
		if (rc < 0)
			return rc;
	}
	int rc = mkv_store_new_place(object, MKV_STORE_OBJECTS, &sha256, &st,
				     err);
	if (rc < 0)
		return rc;
	mkv_store_remember(object->store, &sha256, &st);
	*ret_sha256 = sha256;
	return 0;
}

void mkv_store_new_done(struct mkv_store_new *object)
{
	struct stat st;
	bool keep = object->is_partial && object->fd >= 0 &&
		    fstat(object->fd, &st) == 0 && st.st_size > 0;
	if (object->temporary && !keep)
		(void)unlinkat(directory_of(object), object->temporary, 0);
	mkv_auto_close_(&object->fd);
	free(object->temporary);
	*object = (struct mkv_store_new)MKV_STORE_NEW_INIT;
}

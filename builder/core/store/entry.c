/* SPDX-License-Identifier: MIT */
/* Entries of a store: files in two-letter directories, named by a digest. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/core/store/store_internal.h"

void mkv_store_entry_done(struct mkv_store_entry *entry)
{
	mkv_auto_close_(&entry->directory);
	entry->directory = -1;
}

int mkv_store_entry_open(const struct mkv_store *store,
			 enum mkv_store_directory directory,
			 const struct mkv_sha256 *sha256, bool make,
			 struct mkv_store_entry *ret, struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE], letters[3];
	struct mkv_store_entry entry = MKV_STORE_ENTRY_INIT;
	mkv_sha256_hex(sha256, hex);
	(void)snprintf(letters, sizeof(letters), "%.2s", hex);
	(void)snprintf(entry.name, sizeof(entry.name), "%s", hex + 2);
	(void)snprintf(entry.path, sizeof(entry.path), "%s/%s/%s",
		       mkv_store_directory_name(directory), letters,
		       entry.name);
	int parent = store->directories[directory];
	if (parent < 0)
		return mkv_fail(err, MKV_FAILED, ENOENT, "open '%s/%s': %m",
				store->path, entry.path);
	if (make && mkdirat(parent, letters, 0755) < 0 && errno != EEXIST)
		return mkv_fail(err, MKV_FAILED, errno,
				"create the directory of '%s/%s': %m",
				store->path, entry.path);
	entry.directory =
		openat(parent, letters,
		       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (entry.directory < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"open the directory of '%s/%s': %m%s",
				store->path, entry.path,
				errno == ENOTDIR || errno == ELOOP
					? " (the store follows no links): "
					  "remove it"
					: "");
	*ret = entry;
	return 0;
}

int mkv_store_entry_remove(const struct mkv_store *store,
			   const struct mkv_store_entry *entry,
			   const struct stat *st, const char *what,
			   struct mkv_error *err)
{
	struct stat now;
	if (store->is_for_reading)
		return mkv_fail(err, MKV_FAILED, ENOENT, "'%s/%s' %s",
				store->path, entry->path, what);
	/* Another build may have written a valid entry in the meantime. */
	bool is_other = st &&
			fstatat(entry->directory, entry->name, &now,
				AT_SYMLINK_NOFOLLOW) == 0 &&
			(now.st_ino != st->st_ino || now.st_dev != st->st_dev);
	if (!is_other && unlinkat(entry->directory, entry->name, 0) < 0 &&
	    errno != ENOENT)
		return mkv_fail(err, MKV_FAILED, errno,
				"'%s/%s' %s and can't be removed: %m",
				store->path, entry->path, what);
	return mkv_fail(err, MKV_FAILED, ENOENT, "'%s/%s' %s and was removed",
			store->path, entry->path, what);
}

int mkv_store_entry_read(const struct mkv_store *store,
			 const struct mkv_store_entry *entry, int *ret_fd,
			 struct stat *ret_st, struct mkv_error *err)
{
	auto_fd int fd = openat(entry->directory, entry->name,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
					O_NOCTTY);
	/* ENXIO: a socket. */
	if (fd < 0 && errno != ELOOP && errno != ENXIO)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s/%s': %m",
				store->path, entry->path);
	if (fd >= 0 && fstat(fd, ret_st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stat '%s/%s': %m",
				store->path, entry->path);
	if (fd < 0 || !S_ISREG(ret_st->st_mode))
		return mkv_store_entry_remove(store, entry, NULL,
					      "is not a regular file", err);
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

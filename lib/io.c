/* SPDX-License-Identifier: MIT */
#include "lib/io.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

int mkv_read_fd(int fd, size_t limit_bytes, struct mkv_buf *ret,
		struct mkv_error *err)
{
	enum { CHUNK = 64 * 1024 };
	auto_free char *chunk = malloc(CHUNK);
	if (!chunk)
		return mkv_oom(err);
	auto_buf struct mkv_buf all = {0};
	for (;;) {
		ssize_t got = read(fd, chunk, CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mkv_fail(err, MKV_FAILED, errno, "read: %m");
		if (got == 0)
			break;
		if ((size_t)got > limit_bytes - all.size)
			return mkv_fail(err, MKV_FAILED, EFBIG,
					"larger than the limit of %zu bytes",
					limit_bytes);
		mkv_buf_add(&all, chunk, (size_t)got);
	}
	int rc = mkv_buf_check(&all, err);
	if (rc < 0)
		return rc;
	mkv_buf_done(ret);
	*ret = all;
	all = (struct mkv_buf){0};
	return 0;
}

int mkv_read_file(int dirfd, const char *path, size_t limit_bytes,
		  struct mkv_buf *ret, struct mkv_error *err)
{
	auto_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	int rc = mkv_read_fd(fd, limit_bytes, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path) : 0;
}

int mkv_write_all(int fd, const void *data, size_t size, struct mkv_error *err)
{
	const char *at = data;
	while (size > 0) {
		ssize_t put = write(fd, at, size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return mkv_fail(err, MKV_FAILED, errno, "write: %m");
		at += put;
		size -= (size_t)put;
	}
	return 0;
}

int mkv_pwrite_all(int fd, const void *data, size_t size, uint64_t offset,
		   struct mkv_error *err)
{
	const char *at = data;
	while (size > 0) {
		ssize_t put = pwrite(fd, at, size, (off_t)offset);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return mkv_fail(err, MKV_FAILED, errno, "write: %m");
		at += put;
		size -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

int mkv_pread_all(int fd, void *data, size_t size, uint64_t offset,
		  struct mkv_error *err)
{
	char *at = data;
	while (size > 0) {
		ssize_t got = pread(fd, at, size, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mkv_fail(err, MKV_FAILED, errno, "read: %m");
		if (got == 0)
			return mkv_fail(err, MKV_FAILED, EIO,
					"file ends %zu bytes early", size);
		at += got;
		size -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

static int copy_by_hand(int from, uint64_t from_offset, int to,
			uint64_t to_offset, uint64_t size,
			struct mkv_error *err)
{
	enum { CHUNK = 256 * 1024 };
	auto_free char *chunk = malloc(CHUNK);
	if (!chunk)
		return mkv_oom(err);
	while (size > 0) {
		size_t length = size < CHUNK ? (size_t)size : CHUNK;
		int rc = mkv_pread_all(from, chunk, length, from_offset, err);
		if (rc < 0)
			return rc;
		rc = mkv_pwrite_all(to, chunk, length, to_offset, err);
		if (rc < 0)
			return rc;
		from_offset += length;
		to_offset += length;
		size -= length;
	}
	return 0;
}

int mkv_copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset,
		   uint64_t size, struct mkv_error *err)
{
	off_t in = (off_t)from_offset;
	off_t out = (off_t)to_offset;
	while (size > 0) {
		ssize_t done = copy_file_range(from, &in, to, &out, size, 0);
		if (done <= 0) /* another file system, or a file that ended */
			return copy_by_hand(from, (uint64_t)in, to,
					    (uint64_t)out, size, err);
		size -= (uint64_t)done;
	}
	return 0;
}

/* Two processes may write files of one final name. The process id and a counter
 * make their temporary names differ. A name that exists nevertheless, from a
 * process of another PID namespace or one that was killed, is skipped. No
 * temporary name reaches any output. */
static int create_temporary(int dirfd, const char *final, char **ret_name,
			    int *ret_fd, struct mkv_error *err)
{
	enum { ATTEMPTS = 1000 };
	static atomic_uint count;
	int code = EEXIST;
	auto_free char *name = NULL;
	for (int i = 0; code == EEXIST && i < ATTEMPTS; i++) {
		free(mkv_take(name));
		if (asprintf(&name, "%s.new.%ld.%u", final, (long)getpid(),
			     atomic_fetch_add(&count, 1)) < 0) {
			name = NULL;
			return mkv_oom(err);
		}
		*ret_fd = openat(dirfd, name,
				 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
					 O_NOFOLLOW,
				 0600);
		code = *ret_fd < 0 ? errno : 0;
	}
	*ret_name = mkv_take(name);
	return -code;
}

int mkv_newfile_open(const char *path, mode_t mode, struct mkv_newfile *ret,
		     struct mkv_error *err)
{
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	const char *slash = strrchr(path, '/');
	auto_free char *dir =
		slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!dir)
		return mkv_oom(err);
	file.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file.dirfd < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"open directory '%s': %m", dir);
	const char *name = slash ? slash + 1 : path;
	auto_free char *temporary = NULL;
	file.final = strdup(name);
	if (!file.final)
		return mkv_oom(err);
	int rc = create_temporary(file.dirfd, name, &temporary, &file.fd, err);
	if (rc < 0 && !temporary)
		return rc;
	if (rc < 0)
		return mkv_fail(err, MKV_FAILED, rc, "create '%s%s': %m",
				slash ? dir : "", temporary);
	file.temporary = mkv_take(temporary);
	if (fchmod(file.fd, mode) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "chmod '%s': %m", path);
	*ret = file;
	file = (struct mkv_newfile)MKV_NEWFILE_INIT;
	return 0;
}

int mkv_newfile_place(struct mkv_newfile *file, struct mkv_error *err)
{
	if (renameat(file->dirfd, file->temporary, file->dirfd, file->final) <
	    0)
		return mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m",
				file->final);
	free(mkv_take(file->temporary));
	if (close(mkv_take_fd(&file->fd)) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "close '%s': %m",
				file->final);
	return 0;
}

int mkv_newfile_commit(struct mkv_newfile *file, struct mkv_error *err)
{
	if (fsync(file->fd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fsync '%s': %m",
				file->final);
	int rc = mkv_newfile_place(file, err);
	if (rc < 0)
		return rc;
	if (fsync(file->dirfd) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"fsync the directory of '%s': %m", file->final);
	return 0;
}

void mkv_newfile_done(struct mkv_newfile *file)
{
	if (file->temporary)
		(void)unlinkat(file->dirfd, file->temporary, 0);
	mkv_auto_close_(&file->fd);
	mkv_auto_close_(&file->dirfd);
	free(file->temporary);
	free(file->final);
	*file = (struct mkv_newfile)MKV_NEWFILE_INIT;
}

static int write_small(const char *path, mode_t mode, const void *data,
		       size_t size,
		       int (*finish)(struct mkv_newfile *, struct mkv_error *),
		       struct mkv_error *err)
{
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	int rc = mkv_newfile_open(path, mode, &file, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	rc = mkv_write_all(file.fd, data, size, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	rc = finish(&file, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path) : 0;
}

int mkv_write_file(const char *path, mode_t mode, const void *data, size_t size,
		   struct mkv_error *err)
{
	return write_small(path, mode, data, size, mkv_newfile_commit, err);
}

int mkv_place_file(const char *path, mode_t mode, const void *data, size_t size,
		   struct mkv_error *err)
{
	return write_small(path, mode, data, size, mkv_newfile_place, err);
}

static int check_directory(const char *path, struct mkv_error *err)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stat '%s': %m", path);
	if (!S_ISDIR(st.st_mode))
		return mkv_fail(err, MKV_FAILED, ENOTDIR,
				"create directory '%s': %m", path);
	return 0;
}

int mkv_make_dirs(const char *path, struct mkv_error *err)
{
	if (!*path)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"create directory '': %m");
	auto_free char *partial = strdup(path);
	if (!partial)
		return mkv_oom(err);
	for (char *at = partial + 1;; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		char end = *at;
		*at = '\0';
		if (mkdir(partial, 0755) == 0) {
			if (chmod(partial, 0755) < 0)
				return mkv_fail(err, MKV_FAILED, errno,
						"chmod '%s': %m", partial);
		} else if (errno != EEXIST) {
			return mkv_fail(err, MKV_FAILED, errno,
					"create directory '%s': %m", partial);
		}
		*at = end;
		if (end == '\0')
			return check_directory(path, err);
	}
}

static int remove_entries(int fd, dev_t device, struct mkv_error *err);

static int remove_entry(int dirfd, const char *name, dev_t device,
			struct mkv_error *err)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return mkv_fail(err, MKV_FAILED, errno, "remove '%s': %m",
				name);
	auto_fd int fd = openat(
		dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "remove '%s': %m",
				name);
	if (device && st.st_dev != device)
		return mkv_fail(err, MKV_FAILED, EXDEV,
				"'%s' is a mount point: not removed", name);
	int rc = remove_entries(fd, st.st_dev, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return mkv_fail(err, MKV_FAILED, errno, "remove '%s': %m",
				name);
	return 0;
}

static int remove_entries(int fd, dev_t device, struct mkv_error *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return mkv_fail(err, MKV_FAILED, errno, "dup: %m");
	auto_dir DIR *dir = fdopendir(copy);
	if (!dir) {
		(void)close(copy);
		return mkv_fail(err, MKV_FAILED, errno, "read directory: %m");
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		int rc = remove_entry(fd, entry->d_name, device, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_remove_tree(int dirfd, const char *path, struct mkv_error *err)
{
	return remove_entry(dirfd, path, 0, err);
}

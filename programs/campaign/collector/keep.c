/* SPDX-License-Identifier: MIT */
#include "programs/campaign/collector/keep.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "programs/lib/free_space.h"

struct mkv_keep {
	struct mkv_keep_options options;
	int directory, fd;
	uint64_t size;	   /* of complete records, in bytes */
	bool has_leftover; /* part of a failed write follows them */
	unsigned next;	   /* number of the next rotated file */
};

static void print_name(const struct mkv_keep *keep, unsigned number,
		       char ret[static NAME_MAX + 1])
{
	if (number)
		(void)snprintf(ret, NAME_MAX + 1, "%s.%u.%s",
			       keep->options.name, number,
			       keep->options.suffix);
	else
		(void)snprintf(ret, NAME_MAX + 1, "%s.%s", keep->options.name,
			       keep->options.suffix);
}

/* Measures the complete records at the beginning of the file. */
static int measure_records(struct mkv_keep *keep, uint64_t file_size,
			   struct mkv_error *err)
{
	keep->size = 0;
	if (file_size == 0)
		return 0;
	char *data = mmap(NULL, file_size, PROT_READ, MAP_SHARED, keep->fd, 0);
	if (data == MAP_FAILED)
		return mkv_fail(err, MKV_FAILED, errno, "map: %m");
	for (size_t size; keep->size < file_size; keep->size += size) {
		size = keep->options.record(data + keep->size,
					    file_size - keep->size);
		if (size == 0)
			break;
	}
	(void)munmap(data, file_size);
	return 0;
}

static int fail_locked(struct mkv_error *err)
{
	return mkv_fail(err, MKV_FAILED, EWOULDBLOCK,
			"locked by another collector");
}

/* Two writers would overwrite each other's records, and take a record that is
 * being written for an incomplete one: the file is locked before it is read.
 * The name may refer to another file by the time the lock is held. */
static int lock_file(const struct mkv_keep *keep, const char *name,
		     struct stat *ret, struct mkv_error *err)
{
	struct stat named;
	if (flock(keep->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? fail_locked(err)
			       : mkv_fail(err, MKV_FAILED, errno, "lock: %m");
	if (fstat(keep->fd, ret) < 0 ||
	    fstatat(keep->directory, name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    ret->st_dev != named.st_dev || ret->st_ino != named.st_ino)
		return fail_locked(err);
	return 0;
}

/* Truncates the file to its complete records. */
static int remove_incomplete_record(struct mkv_keep *keep,
				    const struct stat *st, uint64_t *ret_cut,
				    struct mkv_error *err)
{
	if (!S_ISREG(st->st_mode))
		return mkv_fail(err, MKV_FAILED, EINVAL, "not a regular file");
	int rc = measure_records(keep, (uint64_t)st->st_size, err);
	if (rc < 0)
		return rc;
	*ret_cut = (uint64_t)st->st_size - keep->size;
	if (*ret_cut && ftruncate(keep->fd, (off_t)keep->size) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
	return 0;
}

static int lock_and_repair(struct mkv_keep *keep, const char *name,
			   uint64_t *ret_cut, struct mkv_error *err)
{
	struct stat st;
	int rc = lock_file(keep, name, &st, err);
	if (rc < 0)
		return rc;
	rc = remove_incomplete_record(keep, &st, ret_cut, err);
	if (rc < 0)
		return rc;
	/* The name must be on the disk before the first record. */
	if (fsync(keep->fd) < 0 || fsync(keep->directory) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "sync: %m");
	return 0;
}

static int open_file(struct mkv_keep *keep, uint64_t *ret_cut,
		     struct mkv_error *err)
{
	char name[NAME_MAX + 1];
	print_name(keep, 0, name);
	keep->fd = openat(keep->directory, name,
			  O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (keep->fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", name);
	int rc = lock_and_repair(keep, name, ret_cut, err);
	if (rc == 0)
		return 0;
	mkv_auto_close_(&keep->fd);
	keep->fd = -1;
	return mkv_wrap(err, rc, "'%s'", name);
}

static int open_directory_and_file(struct mkv_keep *keep, uint64_t *ret_cut,
				   struct mkv_error *err)
{
	keep->directory = open(keep->options.directory,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (keep->directory < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open: %m");
	return open_file(keep, ret_cut, err);
}

static void pass_used_numbers(struct mkv_keep *keep)
{
	for (;; keep->next++) {
		char name[NAME_MAX + 1];
		print_name(keep, keep->next, name);
		if (faccessat(keep->directory, name, F_OK,
			      AT_SYMLINK_NOFOLLOW) < 0)
			break;
	}
}

int mkv_keep_open(const struct mkv_keep_options *options, struct mkv_keep **ret,
		  uint64_t *ret_cut, struct mkv_error *err)
{
	struct mkv_keep *keep = calloc(1, sizeof(*keep));
	if (!keep)
		return mkv_oom(err);
	keep->options = *options;
	keep->fd = keep->directory = -1;
	int rc = open_directory_and_file(keep, ret_cut, err);
	if (rc < 0) {
		mkv_keep_close(keep);
		return mkv_wrap(err, rc, "'%s'", options->directory);
	}
	keep->next = 1;
	pass_used_numbers(keep);
	*ret = keep;
	return 0;
}

void mkv_keep_close(struct mkv_keep *keep)
{
	if (!keep)
		return;
	mkv_auto_close_(&keep->fd);
	mkv_auto_close_(&keep->directory);
	free(keep);
}

/* Renames the file to the next free number. A rotated file that was removed
 * leaves a gap, after which further numbers may be in use. */
static int rename_to_next(struct mkv_keep *keep, struct mkv_error *err)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	print_name(keep, 0, from);
	for (;;) {
		print_name(keep, keep->next++, to);
		if (renameat2(keep->directory, from, keep->directory, to,
			      RENAME_NOREPLACE) == 0)
			return 0;
		if (errno == EEXIST)
			continue;
		keep->next--;
		return mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m",
				to);
	}
}

/* Renames the file and begins an empty one. */
static int rotate_file(struct mkv_keep *keep, struct mkv_error *err)
{
	uint64_t cut;
	int rc = rename_to_next(keep, err);
	if (rc < 0)
		return rc;
	pass_used_numbers(keep);
	(void)close(keep->fd);
	keep->fd = -1;
	return open_file(keep, &cut, err);
}

int mkv_keep_rotate(struct mkv_keep *keep, unsigned *ret_next,
		    struct mkv_error *err)
{
	uint64_t cut;
	int rc = 0;
	/* A rotated file is read to its end. */
	if (keep->has_leftover && ftruncate(keep->fd, (off_t)keep->size) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
	keep->has_leftover = false;
	if (keep->fd < 0)
		rc = open_file(keep, &cut, err);
	if (rc == 0 && keep->size)
		rc = rotate_file(keep, err);
	if (rc < 0)
		return rc;
	pass_used_numbers(keep);
	*ret_next = keep->next;
	return 0;
}

static int prepare_append(struct mkv_keep *keep, size_t size,
			  struct mkv_error *err)
{
	uint64_t cut;
	if (keep->has_leftover && ftruncate(keep->fd, (off_t)keep->size) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
	keep->has_leftover = false;
	int rc = 0;
	if (keep->fd < 0) /* a rotation failed to open the new file */
		rc = open_file(keep, &cut, err);
	else if (keep->size >= keep->options.file_bytes)
		rc = rotate_file(keep, err);
	return rc < 0 ? rc
		      : mkv_free_space_check(keep->fd, size,
					     keep->options.spare_bytes, err);
}

int mkv_keep_add(struct mkv_keep *keep, const struct mkv_buf *record,
		 struct mkv_error *err)
{
	int rc = prepare_append(keep, record->size, err);
	if (rc < 0)
		return rc;
	rc = mkv_pwrite_all(keep->fd, record->data, record->size, keep->size,
			    err);
	if (rc == 0 && fdatasync(keep->fd) < 0)
		rc = mkv_fail(err, MKV_FAILED, errno, "sync: %m");
	if (rc < 0) {
		keep->has_leftover = ftruncate(keep->fd, (off_t)keep->size) < 0;
		return rc;
	}
	keep->size += record->size;
	return 0;
}

int mkv_keep_read(const struct mkv_keep *keep, int64_t number, int *ret_fd,
		  uint64_t *ret_size, struct mkv_error *err)
{
	char name[NAME_MAX + 1];
	struct stat st;
	if (number < 0 || number > UINT_MAX)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"no file with number %lld", (long long)number);
	print_name(keep, (unsigned)number, name);
	auto_fd int fd = openat(keep->directory, name,
				O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", name);
	*ret_size = number ? (uint64_t)st.st_size : keep->size;
	*ret_fd = *ret_size ? fd : -1;
	if (*ret_size)
		fd = -1;
	return 0;
}

/* NAME.SUFFIX or NAME.NUMBER.SUFFIX */
static bool is_own_file(const struct mkv_keep_options *options,
			const char *file)
{
	size_t name = strlen(options->name);
	if (strncmp(file, options->name, name) != 0 || file[name] != '.')
		return false;
	const char *rest = file + name + 1;
	size_t digits = strspn(rest, "0123456789");
	if (digits && rest[digits] == '.')
		rest += digits + 1;
	return strcmp(rest, options->suffix) == 0;
}

int mkv_keep_clean_up(const struct mkv_keep_options *options,
		      struct mkv_error *err)
{
	auto_dir DIR *dir = opendir(options->directory);
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				options->directory);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (is_own_file(options, entry->d_name) &&
		    unlinkat(dirfd(dir), entry->d_name, 0) < 0 &&
		    errno != ENOENT)
			return mkv_fail(err, MKV_FAILED, errno,
					"remove '%s/%s': %m",
					options->directory, entry->d_name);
	return 0;
}

void mkv_keep_position(const struct mkv_keep *keep, unsigned *ret_file,
		       uint64_t *ret_bytes)
{
	*ret_file = keep->next;
	*ret_bytes = keep->size;
}

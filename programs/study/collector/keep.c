/* SPDX-License-Identifier: MIT */
#include "programs/study/collector/keep.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "programs/study/lib/room.h"

struct mkv_keep {
	struct mkv_keep_options options;
	int folder, fd;
	uint64_t size;	   /* whole records */
	bool has_leftover; /* of a write that failed, behind them */
	unsigned next;	   /* number of the file that is put aside next */
};

static void name_of(const struct mkv_keep *keep, unsigned number,
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

/* The bytes of whole records at the beginning of the file. */
static int measure(struct mkv_keep *keep, uint64_t file_size,
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

static int fail_another(struct mkv_error *err)
{
	return mkv_fail(err, MKV_FAILED, EWOULDBLOCK,
			"another collector writes it");
}

/* Two that write at the same place would undo each other's, and what one is
 * writing looks cut to the other: nothing is looked at before the lock. The
 * name may have gone to another file while we came to it. */
static int lock_file(const struct mkv_keep *keep, const char *name,
		     struct stat *ret, struct mkv_error *err)
{
	struct stat named;
	if (flock(keep->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? fail_another(err)
			       : mkv_fail(err, MKV_FAILED, errno, "lock: %m");
	if (fstat(keep->fd, ret) < 0 ||
	    fstatat(keep->folder, name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    ret->st_dev != named.st_dev || ret->st_ino != named.st_ino)
		return fail_another(err);
	return 0;
}

/* Takes off what isn't a whole record. */
static int mend(struct mkv_keep *keep, const struct stat *st, uint64_t *ret_cut,
		struct mkv_error *err)
{
	if (!S_ISREG(st->st_mode))
		return mkv_fail(err, MKV_FAILED, EINVAL, "not a regular file");
	int rc = measure(keep, (uint64_t)st->st_size, err);
	if (rc < 0)
		return rc;
	*ret_cut = (uint64_t)st->st_size - keep->size;
	if (*ret_cut && ftruncate(keep->fd, (off_t)keep->size) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
	return 0;
}

static int open_file(struct mkv_keep *keep, uint64_t *ret_cut,
		     struct mkv_error *err)
{
	char name[NAME_MAX + 1];
	struct stat st;
	name_of(keep, 0, name);
	keep->fd = openat(keep->folder, name,
			  O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (keep->fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", name);
	int rc = lock_file(keep, name, &st, err);
	if (rc == 0)
		rc = mend(keep, &st, ret_cut, err);
	/* The name is on the disk before the first record is. */
	if (rc == 0 && (fsync(keep->fd) < 0 || fsync(keep->folder) < 0))
		rc = mkv_fail(err, MKV_FAILED, errno, "sync: %m");
	if (rc == 0)
		return 0;
	(void)close(keep->fd);
	keep->fd = -1;
	return mkv_wrap(err, rc, "'%s'", name);
}

int mkv_keep_open(const struct mkv_keep_options *options, struct mkv_keep **ret,
		  uint64_t *ret_cut, struct mkv_error *err)
{
	struct mkv_keep *keep = calloc(1, sizeof(*keep));
	if (!keep)
		return mkv_oom(err);
	keep->options = *options;
	keep->fd = -1;
	keep->folder =
		open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;
	if (keep->folder < 0)
		rc = mkv_fail(err, MKV_FAILED, errno, "open: %m");
	if (rc == 0)
		rc = open_file(keep, ret_cut, err);
	if (rc < 0) {
		mkv_keep_close(keep);
		return mkv_wrap(err, rc, "'%s'", options->folder);
	}
	for (keep->next = 1;; keep->next++) {
		char name[NAME_MAX + 1];
		name_of(keep, keep->next, name);
		if (faccessat(keep->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) <
		    0)
			break;
	}
	*ret = keep;
	return 0;
}

void mkv_keep_close(struct mkv_keep *keep)
{
	if (!keep)
		return;
	mkv_auto_close_(&keep->fd);
	mkv_auto_close_(&keep->folder);
	free(keep);
}

/* To the next number that is free: who took a file away left a gap behind which
 * others are. */
static int rename_aside(struct mkv_keep *keep, struct mkv_error *err)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	name_of(keep, 0, from);
	for (;;) {
		name_of(keep, keep->next++, to);
		if (renameat2(keep->folder, from, keep->folder, to,
			      RENAME_NOREPLACE) == 0)
			return 0;
		if (errno == EEXIST)
			continue;
		keep->next--;
		return mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m",
				to);
	}
}

/* The next file begins empty. */
static int put_aside(struct mkv_keep *keep, struct mkv_error *err)
{
	uint64_t cut;
	int rc = rename_aside(keep, err);
	if (rc < 0)
		return rc;
	(void)close(keep->fd);
	keep->fd = -1;
	return open_file(keep, &cut, err);
}

static int prepare(struct mkv_keep *keep, size_t size, struct mkv_error *err)
{
	uint64_t cut;
	if (keep->has_leftover && ftruncate(keep->fd, (off_t)keep->size) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "truncate: %m");
	keep->has_leftover = false;
	int rc = 0;
	if (keep->fd < 0) /* it was put aside, and then there was no other */
		rc = open_file(keep, &cut, err);
	else if (keep->size >= keep->options.file_bytes)
		rc = put_aside(keep, err);
	return rc < 0 ? rc
		      : mkv_room_check(keep->fd, size,
				       keep->options.spare_bytes, err);
}

int mkv_keep_add(struct mkv_keep *keep, const struct mkv_buf *record,
		 struct mkv_error *err)
{
	int rc = prepare(keep, record->size, err);
	if (rc < 0)
		return rc;
	rc = mkv_pwrite_all(keep->fd, record->data, record->size, keep->size,
			    err);
	if (rc == 0 && fdatasync(keep->fd) < 0)
		rc = mkv_fail(err, MKV_FAILED, errno, "sync: %m");
	if (rc == 0) {
		keep->size += record->size;
		return 0;
	}
	keep->has_leftover = ftruncate(keep->fd, (off_t)keep->size) < 0;
	return rc;
}

int mkv_keep_read(const struct mkv_keep *keep, int64_t number, int *ret_fd,
		  uint64_t *ret_size, struct mkv_error *err)
{
	char name[NAME_MAX + 1];
	struct stat st;
	if (number < 0 || number > UINT_MAX)
		return mkv_fail(err, MKV_FAILED, ENOENT, "no file %lld",
				(long long)number);
	name_of(keep, (unsigned)number, name);
	auto_fd int fd =
		openat(keep->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", name);
	*ret_size = number ? (uint64_t)st.st_size : keep->size;
	*ret_fd = *ret_size ? fd : -1;
	if (*ret_size)
		fd = -1;
	return 0;
}

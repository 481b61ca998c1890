/* SPDX-License-Identifier: MIT */
#pragma once
/* Files: whole reads with a limit, whole writes, and files that appear only
 * when complete. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/buf.h"

/* Reads `fd` from the current position to the end; more than `limit_bytes` is
 * -EFBIG. Replaces the contents of `ret`. */
int mkv_read_fd(int fd, size_t limit_bytes, struct mkv_buf *ret,
		struct mkv_error *err) mkv_must_check mkv_nonnull(3, 4);
/* Reads a whole file, relative to `dirfd` (AT_FDCWD: the working directory), in
 * the way of mkv_read_fd(). A missing file is -ENOENT. */
int mkv_read_file(int dirfd, const char *path, size_t limit_bytes,
		  struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 4, 5);

/* Write all `size` bytes, at the current position or at `offset`. */
int mkv_write_all(int fd, const void *data, size_t size,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(4);
int mkv_pwrite_all(int fd, const void *data, size_t size, uint64_t offset,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(5);
/* Reads exactly `size` bytes at `offset`; an early end of the file is -EIO. */
int mkv_pread_all(int fd, void *data, size_t size, uint64_t offset,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(5);

/* Copies a range between two files, inside the kernel if possible. */
int mkv_copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset,
		   uint64_t size, struct mkv_error *err) mkv_must_check
	mkv_nonnull(6);

/* A file that is written under a temporary name in its final directory.
 * mkv_newfile_commit() syncs and renames it; mkv_newfile_done() unlinks a file
 * that was not committed. */
struct mkv_newfile {
	int fd; /* open for reading and writing */
	int dirfd;
	char *temporary;
	char *final;
};
#define MKV_NEWFILE_INIT ((struct mkv_newfile){.fd = -1, .dirfd = -1})

/* `mode` is applied regardless of the umask. */
int mkv_newfile_open(const char *path, mode_t mode, struct mkv_newfile *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
int mkv_newfile_commit(struct mkv_newfile *file,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Commits without a sync, for a directory that is synced as a whole later
 * (lib/sync.h). */
int mkv_newfile_place(struct mkv_newfile *file,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_newfile_done(struct mkv_newfile *file) mkv_nonnull(1);
#define auto_newfile __attribute__((cleanup(mkv_newfile_done)))

/* Writes a whole file by mkv_newfile_commit(). */
int mkv_write_file(const char *path, mode_t mode, const void *data, size_t size,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 5);
/* Writes a whole file by mkv_newfile_place(). */
int mkv_place_file(const char *path, mode_t mode, const void *data, size_t size,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 5);

/* Creates missing directories of a path with mode 0755, regardless of the
 * umask.
 */
int mkv_make_dirs(const char *path, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Removes a tree without following links. A mount point in the tree is -EXDEV.
 * A missing path is success. */
int mkv_remove_tree(int dirfd, const char *path,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);

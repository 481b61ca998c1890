/* SPDX-License-Identifier: MIT */
#pragma once
/* The store: content by SHA-256, and results of build steps by the hash of
 * their complete inputs. Default path: $XDG_CACHE_HOME/mkvbench, else
 * ~/.cache/mkvbench. Layout:
 *
 *     mkvbench-store        the marker file: "mkvbench store 1"
 *     objects/ab/cdef...    a content, mode 0444, named by its SHA-256
 *     steps/ab/cdef...      a step's result: lines of "NAME SHA256 SIZE"
 *     partial/SHA256        an unfinished download, resumed by the next run
 *     external/SHA256/      an OCI image of a registry
 *     tmp/                  files that are being written
 *
 * A store is created only in a missing or empty directory. A directory without
 * the marker is accepted as a store of an earlier version, and marked, when it
 * has objects/, steps/ and tmp/, optionally partial/ and external/, and nothing
 * else, and each of them holds only entries of a store. Any other directory is
 * refused and not changed. No symbolic link inside a store is followed; the
 * path of the store itself may be a link.
 *
 * Objects are verified when they are opened; a damaged object is removed and
 * counts as missing. Any number of builds may share a store. */

#include "lib/hash.h"

struct mkv_store;
/* `path` NULL means the default path. Creates missing directories.
 * MKV_BAD_USAGE when the directory is neither empty nor a store. */
int mkv_store_open(const char *path, struct mkv_store **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
/* Opens a store that is never changed: damaged entries stay, and a missing
 * store counts as empty. Writing to the store fails with -EROFS. */
int mkv_store_open_for_reading(const char *path, struct mkv_store **ret,
			       struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);
void mkv_store_free(struct mkv_store *store);
MKV_DEFINE_AUTO(store, struct mkv_store *, mkv_store_free)
#define auto_store mkv_auto(store)
const char *mkv_store_path(const struct mkv_store *store) mkv_nonnull(1);

/* -EROFS when the store is open for reading. For those who write into its
 * directories themselves. */
int mkv_store_check_writable(const struct mkv_store *store,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Opens a directory of the store, such as "external", and creates a missing one
 * unless the store is open for reading: then -ENOENT. */
int mkv_store_directory_open(const struct mkv_store *store, const char *name,
			     int *ret_fd, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Opens a verified object for reading into *ret_fd (caller's). -ENOENT when the
 * object is missing or damaged. An object is hashed once per process, and again
 * only if its size, time or inode number changed. */
int mkv_store_get(struct mkv_store *store, const struct mkv_sha256 *sha256,
		  int *ret_fd, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* True when the store has a file for this object; its bytes are not verified.
 */
bool mkv_store_has(struct mkv_store *store, const struct mkv_sha256 *sha256)
	mkv_nonnull(1, 2);

/* An object that is being written: open, write to .fd by any means, commit. The
 * content is hashed while committing unless the caller hashed it while writing.
 * Without a commit, mkv_store_new_done() removes the file. */
struct mkv_store_new {
	int fd;
	char *temporary;
	struct mkv_store *store;
	bool is_partial;
};
#define MKV_STORE_NEW_INIT ((struct mkv_store_new){.fd = -1})
int mkv_store_new_open(struct mkv_store *store, struct mkv_store_new *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* `known` may be NULL; the digest goes to *ret_sha256. */
int mkv_store_new_commit(struct mkv_store_new *object,
			 const struct mkv_sha256 *known,
			 struct mkv_sha256 *ret_sha256,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
void mkv_store_new_done(struct mkv_store_new *object) mkv_nonnull(1);
/* Opens an object whose digest is known before its bytes, a download, for
 * writing. .fd already holds the bytes that an earlier run received; without a
 * commit the file is kept unless it is empty. -EAGAIN when another build is
 * writing the object. Commit with `known` once the bytes have that digest. */
int mkv_store_partial_open(struct mkv_store *store,
			   const struct mkv_sha256 *sha256,
			   struct mkv_store_new *ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
#define auto_store_new __attribute__((cleanup(mkv_store_new_done)))

/* A step's result: named objects. */
struct mkv_step_output {
	char name[64];
	struct mkv_sha256 sha256;
	uint64_t size_bytes;
};
enum { MKV_STEP_OUTPUTS_MAX = 16 };
struct mkv_step_result {
	struct mkv_step_output outputs[MKV_STEP_OUTPUTS_MAX];
	size_t count;
};
/* -ENOENT when the store has no result of the step or lacks one of its objects.
 */
int mkv_store_step_get(struct mkv_store *store, const struct mkv_sha256 *key,
		       struct mkv_step_result *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
int mkv_store_step_put(struct mkv_store *store, const struct mkv_sha256 *key,
		       const struct mkv_step_result *result,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

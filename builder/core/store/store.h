/* SPDX-License-Identifier: MIT */
#pragma once
/* The store: content by SHA-256, and results of build steps by the hash of
 * their complete inputs. Default place: $XDG_CACHE_HOME/mkvbench, else
 * ~/.cache/mkvbench. Layout:
 *
 *     objects/ab/cdef...    a content, mode 0444, named by its SHA-256
 *     steps/ab/cdef...      a step's result: lines of "NAME SHA256 SIZE"
 *     partial/SHA256        an unfinished download, resumed by the next run
 *     tmp/                  what is being written
 *
 * Objects are verified whenever they are opened; a damaged one is removed and
 * counts as missing. Any number of builds may share a store. */

#include "lib/hash.h"

struct mkv_store;
/* `path` NULL means the default place. Creates what is missing. */
int mkv_store_open(const char *path, struct mkv_store **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
void mkv_store_free(struct mkv_store *store);
MKV_DEFINE_AUTO(store, struct mkv_store *, mkv_store_free)
#define auto_store mkv_auto(store)
const char *mkv_store_path(const struct mkv_store *store) mkv_nonnull(1);

/* Opens a verified object for reading into *ret_fd (caller's). -ENOENT when it
 * isn't there or was damaged. Verification of one object happens once per
 * process and again only if its size, time or inode number changed. */
int mkv_store_get(struct mkv_store *store, const struct mkv_sha256 *sha256,
		  int *ret_fd, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* True when an object by that name is there; not verified. */
bool mkv_store_has(struct mkv_store *store, const struct mkv_sha256 *sha256)
	mkv_nonnull(1, 2);

/* Writing an object: open, write to .fd by any means, commit. The content is
 * hashed while committing unless the caller hashed it while writing. Dropped
 * without commit it leaves nothing. */
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
/* The same for an object whose digest is known before its bytes: a download.
 * What an earlier run left is in .fd already, and dropping it without commit
 * keeps what is there, except an empty one. -EAGAIN when another build is
 * writing it. Commit with `known` once it has that digest. */
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
/* -ENOENT when the step isn't known or one of its objects is gone. */
int mkv_store_step_get(struct mkv_store *store, const struct mkv_sha256 *key,
		       struct mkv_step_result *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
int mkv_store_step_put(struct mkv_store *store, const struct mkv_sha256 *key,
		       const struct mkv_step_result *result,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

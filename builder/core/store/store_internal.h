/* SPDX-License-Identifier: MIT */
#pragma once
/* Declarations that the store's files share. Every path in a store is opened
 * directory by directory and without following links, so that the store never
 * writes or removes anything outside. */

#include <pthread.h>

#include "builder/core/store/store.h"
#include "builder/core/store/verified.h"

enum mkv_store_directory {
	MKV_STORE_OBJECTS,
	MKV_STORE_STEPS,
	MKV_STORE_PARTIAL,
	MKV_STORE_TMP,
	MKV_STORE_DIRECTORIES,
};

struct mkv_store {
	char *path;
	bool is_for_reading;
	int fd; /* of the store's directory; -1 when reading a missing store */
	int directories[MKV_STORE_DIRECTORIES]; /* -1 when reading and missing
						 */
	pthread_mutex_t mutex;			/* guards `verified` */
	struct mkv_verified verified;
};

const char *mkv_store_directory_name(enum mkv_store_directory directory);

enum mkv_store_state {
	MKV_STORE_EMPTY,    /* an empty directory, which may become a store */
	MKV_STORE_UNMARKED, /* a store of a version that wrote no marker */
	MKV_STORE_MARKED,
};
/* Classifies a directory. A directory in none of the three states is an error
 * that names an entry which no store has; such a directory must not be changed.
 */
int mkv_store_mark_read(int fd, const char *path, enum mkv_store_state *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4);
/* Writes the marker into an empty directory or an unmarked store. Safe when
 * several builds do so at the same time. */
int mkv_store_mark_ensure(int fd, const char *path,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);
/* True for "PID.N", the names of files in tmp/. */
bool mkv_store_is_temporary(const char *name) mkv_nonnull(1);

/* Records that the operation `what` on the store failed with `code`. When
 * permissions are missing, the message names the store's owner. */
int mkv_store_fail(const char *path, int code, const char *what,
		   struct mkv_error *err) mkv_nonnull(1, 3, 4);

/* An entry: its open two-letter directory and its name in that directory. */
struct mkv_store_entry {
	int directory;
	char name[MKV_SHA256_HEX_SIZE];
	char path[96]; /* relative to the store, for messages */
};
#define MKV_STORE_ENTRY_INIT ((struct mkv_store_entry){.directory = -1})
void mkv_store_entry_done(struct mkv_store_entry *entry) mkv_nonnull(1);
#define auto_store_entry __attribute__((cleanup(mkv_store_entry_done)))
/* Opens the entry's directory, created if `make`; else -ENOENT when missing. */
int mkv_store_entry_open(const struct mkv_store *store,
			 enum mkv_store_directory directory,
			 const struct mkv_sha256 *sha256, bool make,
			 struct mkv_store_entry *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5, 6);
/* Opens an entry's file. Anything but a regular file is removed: -ENOENT. */
int mkv_store_entry_read(const struct mkv_store *store,
			 const struct mkv_store_entry *entry, int *ret_fd,
			 struct stat *ret_st,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Removes an invalid entry if it is still the file of `st` (NULL: any file);
 * `what` completes the message "ENTRY ...". Always an error: -ENOENT when the
 * entry was removed, or when a store for reading leaves that to a build. */
int mkv_store_entry_remove(const struct mkv_store *store,
			   const struct mkv_store_entry *entry,
			   const struct stat *st, const char *what,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);

/* Records that the object was verified while its file had these properties. */
void mkv_store_remember(struct mkv_store *store,
			const struct mkv_sha256 *sha256, const struct stat *st)
	mkv_nonnull(1, 2, 3);

/* Renames a written file to its final name and closes it. `ret_st` may be NULL.
 */
int mkv_store_new_place(struct mkv_store_new *file,
			enum mkv_store_directory directory,
			const struct mkv_sha256 *sha256, struct stat *ret_st,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5);

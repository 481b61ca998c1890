/* SPDX-License-Identifier: MIT */
#pragma once
/* What the files of the store share. Every path in a store is opened folder by
 * folder, never through a link: what the store writes or removes is inside. */

#include <pthread.h>

#include "builder/core/store/store.h"
#include "builder/core/store/verified.h"

enum mkv_store_folder {
	MKV_STORE_OBJECTS,
	MKV_STORE_STEPS,
	MKV_STORE_PARTIAL,
	MKV_STORE_TMP,
	MKV_STORE_FOLDERS,
};

struct mkv_store {
	char *path;
	bool is_for_reading;
	int fd; /* of the folder; -1 when reading a store that isn't there */
	int folders[MKV_STORE_FOLDERS]; /* -1 when reading, and missing */
	pthread_mutex_t mutex;		/* guards `verified` */
	struct mkv_verified verified;
};

const char *mkv_store_folder_name(enum mkv_store_folder folder);

enum mkv_store_state {
	MKV_STORE_EMPTY,    /* nothing is in it: it may become a store */
	MKV_STORE_UNMARKED, /* a store of a version that made no mark */
	MKV_STORE_MARKED,
};
/* What a folder is. Anything but the three is an error that names what it
 * holds, and nobody may change it. */
int mkv_store_mark_read(int fd, const char *path, enum mkv_store_state *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4);
/* Marks an empty folder, or a store without a mark. Several builds may do so at
 * the same time. */
int mkv_store_mark_ensure(int fd, const char *path,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);
/* "PID.N", as files in tmp/ are called */
bool mkv_store_is_temporary(const char *name) mkv_nonnull(1);

/* Records why the store can't be used as it should be: `what` names the
 * attempt. Where permissions are missing it says whose the store is. */
int mkv_store_fail(const char *path, int code, const char *what,
		   struct mkv_error *err) mkv_nonnull(1, 3, 4);

/* An entry's two-letter folder, and the entry's name in it. */
struct mkv_store_entry {
	int folder;
	char name[MKV_SHA256_HEX_SIZE];
	char path[96]; /* in the store, for messages */
};
#define MKV_STORE_ENTRY_INIT ((struct mkv_store_entry){.folder = -1})
void mkv_store_entry_done(struct mkv_store_entry *entry) mkv_nonnull(1);
#define auto_store_entry __attribute__((cleanup(mkv_store_entry_done)))
/* -ENOENT when there is no such folder and it isn't to be made. */
int mkv_store_entry_open(const struct mkv_store *store,
			 enum mkv_store_folder folder,
			 const struct mkv_sha256 *sha256, bool make,
			 struct mkv_store_entry *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5, 6);
/* Opens an entry's file. What is not a regular file is removed, and -ENOENT. */
int mkv_store_entry_read(const struct mkv_store *store,
			 const struct mkv_store_entry *entry, int *ret_fd,
			 struct stat *ret_st,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Removes an entry that isn't as it should be, if it is still the file of `st`
 * (NULL for whatever it is); `what` says how it is. Always an error, -ENOENT
 * when it is out of the way or will be by the next build. */
int mkv_store_entry_remove(const struct mkv_store *store,
			   const struct mkv_store_entry *entry,
			   const struct stat *st, const char *what,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);

/* The object needn't be hashed again as long as its file looks like this. */
void mkv_store_remember(struct mkv_store *store,
			const struct mkv_sha256 *sha256, const struct stat *st)
	mkv_nonnull(1, 2, 3);

/* Gives a written file its name; closes it. *ret_st, when not NULL, is how it
 * looks there. */
int mkv_store_new_place(struct mkv_store_new *file,
			enum mkv_store_folder folder,
			const struct mkv_sha256 *sha256, struct stat *ret_st,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5);

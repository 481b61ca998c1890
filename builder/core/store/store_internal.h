/* SPDX-License-Identifier: MIT */
#pragma once
/* What store.c and step.c share: a store and where its entries lie. */

#include <pthread.h>

#include "builder/core/store/store.h"
#include "builder/core/store/verified.h"

struct mkv_store {
	char *path;
	int fd;		       /* of the folder */
	pthread_mutex_t mutex; /* guards `verified` */
	struct mkv_verified verified;
};

/* "objects/ab/cdef..." */
enum { ENTRY_PATH_MAX = 96 };

void mkv_store_entry_path(const char *kind, const struct mkv_sha256 *sha256,
			  char ret[static ENTRY_PATH_MAX]) mkv_nonnull(1, 2);
/* Makes the folder that is to hold an entry. */
int mkv_store_entry_folder(const struct mkv_store *store, const char *path,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

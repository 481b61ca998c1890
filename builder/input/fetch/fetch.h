/* SPDX-License-Identifier: MIT */
#pragma once
/* Downloads into the store: in parallel, resumed after an interruption,
 * verified while they stream, and retried at every mirror before they fail. */

#include "builder/core/progress/progress.h"
#include "builder/core/store/store.h"
#include "builder/input/fetch/mirrors.h"
#include "lib/buf.h"

struct mkv_fetch_options {
	const struct mkv_mirrors *mirrors; /* may be NULL when offline */
	bool offline;			   /* use only the store */
	/* 0: the default in parentheses. */
	unsigned parallel;   /* transfers in parallel (8) */
	unsigned attempts;   /* per mirror (4) */
	unsigned stall_s;    /* limit without data from a mirror (30) */
	unsigned backoff_ms; /* before the second attempt, then doubled (500) */
	/* Next step, for the error about an item that mirrors no longer have;
	 * or NULL. */
	const char *advice;
};

/* A file with a known digest. */
struct mkv_fetch_item {
	const char *name;	/* for messages: "chrony 4.6.1-3" */
	const char *archive;	/* "debian" or "debian-security" */
	const char *path;	/* relative to the mirror's URI */
	const char *other_path; /* requested when `path` is missing; or NULL */
	uint64_t size_bytes;
	struct mkv_sha256 sha256;
};

/* Fetches every item into the store unless the store has it undamaged. The
 * error names the first failed item, the number of further ones, and the result
 * of each mirror that was queried; also `advice`, when a mirror lacks the item
 * or no mirror holds its archive. Code ENOENT: every mirror responded and none
 * has the item (or, offline, the store lacks it); else EIO. */
int mkv_fetch_all(struct mkv_store *store, const struct mkv_fetch_item *items,
		  size_t count, const struct mkv_fetch_options *options,
		  struct mkv_progress *progress,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 6);

/* Fetches a small file of unknown digest from one mirror into memory. The
 * caller owns *ret. -ENOENT when the mirror lacks the file, else -EIO. */
int mkv_fetch_small(const struct mkv_fetch_options *options, size_t mirror,
		    const char *path, size_t limit_bytes, struct mkv_buf *ret,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5, 6);

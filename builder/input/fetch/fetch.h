/* SPDX-License-Identifier: MIT */
#pragma once
/* Downloads into the store: several at once, resumed, checked while they
 * stream, tried again and at every mirror before they fail. */

#include "builder/core/progress/progress.h"
#include "builder/core/store/store.h"
#include "builder/input/fetch/mirrors.h"
#include "lib/buf.h"

struct mkv_fetch_options {
	const struct mkv_mirrors *mirrors; /* may be NULL when offline */
	bool offline;			   /* nothing but the store */
	/* 0 means the default in brackets. */
	unsigned parallel;   /* transfers at once (8) */
	unsigned attempts;   /* at one mirror (4) */
	unsigned stall_s;    /* a silent mirror is given up after (30) */
	unsigned backoff_ms; /* before the second attempt, then twice (500) */
	/* A sentence for who misses what is perhaps at no mirror any more; or
	 * NULL. */
	const char *advice;
};

/* One content that is known by digest. */
struct mkv_fetch_item {
	const char *name;	/* for messages: "chrony 4.6.1-3" */
	const char *archive;	/* "debian" or "debian-security" */
	const char *path;	/* below the mirror's URI */
	const char *other_path; /* asked where `path` isn't there; or NULL */
	uint64_t size_bytes;
	struct mkv_sha256 sha256;
};

/* Brings every item into the store; what is there, undamaged, isn't fetched. On
 * failure the error names the file and every mirror that was asked, with what
 * it answered, and how many others are missing; before the answers the advice,
 * when one of them hasn't got it or none is known to hold it. Code ENOENT: all
 * mirrors answered and none has it (or, offline, the store has not); else EIO.
 */
int mkv_fetch_all(struct mkv_store *store, const struct mkv_fetch_item *items,
		  size_t count, const struct mkv_fetch_options *options,
		  struct mkv_progress *progress,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 6);

/* A small file whose digest isn't known, from one mirror, into memory. -ENOENT
 * when the mirror hasn't got it. */
int mkv_fetch_small(const struct mkv_fetch_options *options, size_t mirror,
		    const char *path, size_t limit_bytes, struct mkv_buf *ret,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5, 6);

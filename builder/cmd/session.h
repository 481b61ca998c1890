/* SPDX-License-Identifier: MIT */
#pragma once
/* What the verbs that work on recipes have in common: options, store, progress.
 */

#include "builder/build/build.h"
#include "builder/cmd/load.h"
#include "builder/cmd/options.h"
#include "builder/input/lock/ensure.h"

struct mkv_session {
	/* From the command line. */
	const char *store_path, *lock_path, *mirrors, *keyring;
	bool locked, offline, json, quiet;
	/* Opened by mkv_session_open(). */
	struct mkv_store *store;
	struct mkv_progress *progress;
};
void mkv_session_done(struct mkv_session *session) mkv_nonnull(1);
#define auto_session __attribute__((cleanup(mkv_session_done)))

/* The rows of the options that fill a session, to stand in a verb's table. */
#define MKV_SESSION_OPTIONS(s)                                                 \
	{"--store", "DIR", "where contents and results are kept",              \
	 &(s).store_path, NULL},                                               \
		{"--lock", "FILE", "the lock, if not beside the recipe",       \
		 &(s).lock_path, NULL},                                        \
		{"--locked", NULL, "never make or change a lock", NULL,        \
		 &(s).locked},                                                 \
		{"--offline", NULL, "use nothing but the store", NULL,         \
		 &(s).offline},                                                \
		{"--mirror", "URI[,URI]", "mirrors instead of the host's",     \
		 &(s).mirrors, NULL},                                          \
		{"--keyring", "FILE", "instead of Debian's archive keyring",   \
		 &(s).keyring, NULL},                                          \
		{"--json", NULL, "progress and results as JSON lines", NULL,   \
		 &(s).json},                                                   \
	{                                                                      \
		"--quiet", NULL, "no progress", NULL, &(s).quiet               \
	}

int mkv_session_open(struct mkv_session *session,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

struct mkv_lock_options mkv_session_lock_options(const struct mkv_session *s)
	mkv_nonnull(1);

/* What building a recipe works with, given its lock; all is borrowed. */
int mkv_session_build_with(const struct mkv_session *session,
			   const struct mkv_recipe *recipe,
			   const struct mkv_private_key *key,
			   const struct mkv_lock *lock, struct mkv_build *ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5, 6);
/* The same, and the lock is made or renewed where it has to be: it borrows the
 * recipe, the key and the lock, which is the caller's. */
int mkv_session_build(const struct mkv_session *session,
		      const struct mkv_recipe *recipe,
		      const struct mkv_lock_options *options,
		      const struct mkv_private_key *key, struct mkv_lock **lock,
		      struct mkv_build *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6, 7);

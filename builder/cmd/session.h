/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the verbs that build or plan recipes: options, store, progress. */

#include "builder/build/build.h"
#include "builder/cmd/load.h"
#include "builder/cmd/options.h"
#include "builder/input/lock/ensure.h"

struct mkv_session {
	/* From the command line. */
	const char *store_path, *lock_path, *mirrors, *keyring;
	bool locked, offline, json, quiet;
	/* Set by the verb: the store is not changed. */
	bool reads_only;
	/* Opened by mkv_session_open(). */
	struct mkv_store *store;
	struct mkv_progress *progress;
};
void mkv_session_done(struct mkv_session *session) mkv_nonnull(1);
#define auto_session __attribute__((cleanup(mkv_session_done)))

/* The rows of a verb's option table that set a session's options. */
#define MKV_SESSION_OPTIONS(s)                                                 \
	{"--store", "DIR", "the store (default: ~/.cache/mkvbench)",           \
	 &(s).store_path, NULL},                                               \
		{"--lock", "FILE", "the lock (default: RECIPE with .lock)",    \
		 &(s).lock_path, NULL},                                        \
		{"--locked", NULL, "never make or change a lock", NULL,        \
		 &(s).locked},                                                 \
		{"--offline", NULL, "use only the store", NULL, &(s).offline}, \
		{"--mirror", "URI[,URI]", "mirrors instead of the host's",     \
		 &(s).mirrors, NULL},                                          \
		{"--keyring", "FILE",                                          \
		 "the keys that must have signed the releases", &(s).keyring,  \
		 NULL},                                                        \
		{"--json", NULL, "print progress and results as JSON lines",   \
		 NULL, &(s).json},                                             \
	{                                                                      \
		"--quiet", NULL, "print no progress", NULL, &(s).quiet         \
	}

int mkv_session_open(struct mkv_session *session,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

struct mkv_lock_options mkv_session_lock_options(const struct mkv_session *s)
	mkv_nonnull(1);

/* The inputs of a build, with a given lock. *ret borrows all arguments. */
int mkv_session_build_with(const struct mkv_session *session,
			   const struct mkv_recipe *recipe,
			   const struct mkv_private_key *key,
			   const struct mkv_lock *lock, struct mkv_build *ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5, 6);
/* mkv_session_build_with() with the recipe's own lock, which is made or renewed
 * if necessary. The caller frees *lock; *ret borrows it, the recipe and the
 * key.
 */
int mkv_session_build(const struct mkv_session *session,
		      const struct mkv_recipe *recipe,
		      const struct mkv_lock_options *options,
		      const struct mkv_private_key *key, struct mkv_lock **lock,
		      struct mkv_build *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6, 7);

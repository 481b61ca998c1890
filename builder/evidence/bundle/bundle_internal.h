/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the files of the bundle. */

#include "builder/evidence/attest/sums.h"
#include "builder/evidence/bundle/bundle.h"
#include "lib/plan.h"
#include "lib/strings.h"

#define MKV_BUNDLE_INCOMING ".incoming"
#define MKV_BUNDLE_LOCK ".lock"
/* For files and directories that get their names when they are complete. What
 * a crash leaves in it is removed. */
#define MKV_BUNDLE_SCRATCH ".scratch"
#define MKV_BUNDLE_RESULT "attestations/result.sigstore.json"

/* An event `attempt` of the journal. */
struct mkv_bundle_attempt {
	size_t run; /* index into the plan's runs */
	unsigned attempt;
	bool is_valid;
	bool has_files;		  /* false: lost */
	struct mkv_sha256 sha256; /* of run.json, with files */
	struct mkv_sums *files;	  /* relative to the run's directory; or NULL */
};

/* What the journal says. */
struct mkv_bundle_state {
	const struct mkv_plan *plan;
	const char *plan_sha256;
	struct mkv_bundle_run *runs; /* one for each of the plan */
	struct mkv_bundle_attempt *attempts;
	size_t n_attempts;
	struct mkv_strings boots; /* "CONTRACT HOST BOOT" */
	uint64_t sequence;	  /* the largest */
	bool has_plan;
	bool is_complete;
	int64_t began_ns, completed_ns;
};
int mkv_bundle_state_init(struct mkv_bundle_state *state,
			  const struct mkv_plan *plan, const char *plan_sha256,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
void mkv_bundle_state_done(struct mkv_bundle_state *state) mkv_nonnull(1);
/* A mkv_journal_visit(); the context is the state. An event of another plan or
 * an unknown run is an error; an unknown event isn't. */
int mkv_bundle_state_visit(const json_t *line, void *state,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

struct mkv_bundle {
	char *path;
	int dirfd, lock;
	struct mkv_plan *plan;
	char plan_sha256[MKV_SHA256_HEX_SIZE];
	struct mkv_public_key key;
	struct mkv_journal *journal;
	struct mkv_bundle_state state;
	struct mkv_strings repairs;
	bool is_finished;
};

/* Locks the directory by the file .lock in it, which names this process. -EBUSY
 * with the other process's name when that holds the lock. */
int mkv_bundle_lock(int dirfd, const char *path, int *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3, 4);
/* Removes the file and closes the descriptor. */
void mkv_bundle_unlock(int dirfd, int lock);

/* The paths of all files below a directory in byte order, relative to it.
 * `skip` lists names at its top that are left out; it ends with NULL, or is
 * NULL. A link or a special file is MKV_UNVERIFIED. */
int mkv_bundle_list(int dirfd, const char *path, const char *const *skip,
		    struct mkv_strings *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(2, 4, 5);

/* "PATH/BELOW"; the caller frees it. */
int mkv_bundle_path(const struct mkv_bundle *bundle, const char *below,
		    char **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Appends to the journal and to the state. Takes the reference. */
int mkv_bundle_append(struct mkv_bundle *bundle, int64_t time_ns,
		      const char *event, json_t *members,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5);
/* Renames the staging directories of journaled attempts that aren't in place
 * yet; adds a repair for each if `is_repair`. */
int mkv_bundle_complete_runs(struct mkv_bundle *bundle, bool is_repair,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3);
/* "runs/ID" or "runs/ID.attempt-N" */
int mkv_bundle_run_path(const struct mkv_plan *plan,
			const struct mkv_bundle_attempt *attempt, char **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Fails for a finished bundle. */
int mkv_bundle_check_open(const struct mkv_bundle *bundle,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* Appends ro-crate-metadata.json for the files of the bundle. */
int mkv_bundle_crate(const struct mkv_bundle *bundle,
		     const struct mkv_strings *paths, struct mkv_buf *ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

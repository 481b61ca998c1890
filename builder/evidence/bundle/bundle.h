/* SPDX-License-Identifier: MIT */
#pragma once
/* The result bundle of a campaign, results/NAME/ (docs/BUNDLE.md): written
 * while the campaign runs, resumed after a crash, signed at its end.
 *
 *     plan.json plan.sigstore.json key.pub campaign.yaml
 *     journal.jsonl
 *     appliances/NAME/           the appliance without disks and large files
 *     runs/ID/                   the valid attempt of a run
 *     runs/ID.attempt-N/         an invalid attempt
 *     ro-crate-metadata.json SHA256SUMS SHA256SUMS.sig
 *     attestations/result.sigstore.json
 *     .incoming/ID.attempt-N/    a run that is being downloaded; none at the
 * end .lock                      names the process that writes; none afterwards
 *
 * All times are nanoseconds of CLOCK_REALTIME and are given by the caller, who
 * prefers the collector's clock. */

#include "builder/evidence/attest/key.h"
#include "builder/evidence/bundle/journal.h"

#define MKV_PREDICATE_RESULT "urn:mkvbench:result:1"

enum {
	MKV_BUNDLE_COPY_LIMIT_BYTES = 16 * 1024 * 1024,
	MKV_BUNDLE_FILES_MAX = 4000, /* of one run */
};

struct mkv_bundle;

/* What a bundle begins with. All is borrowed. */
struct mkv_bundle_inputs {
	const char *plan; /* plan.json */
	size_t plan_size;
	const char *plan_bundle; /* plan.sigstore.json */
	size_t plan_bundle_size;
	const char *campaign; /* campaign.yaml */
	size_t campaign_size;
	const struct mkv_public_key *key;
};

/* Creates the bundle, whole or not at all, locks it and journals the event
 * `plan`. -EEXIST when the path exists already. The plan's signature is
 * verified with the key. */
int mkv_bundle_create(const char *path, const struct mkv_bundle_inputs *inputs,
		      int64_t time_ns, struct mkv_bundle **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
/* Locks a bundle and reads its journal; completes what a crash interrupted, and
 * journals the event `resumed` with what was repaired, unless the bundle is
 * finished. The bundle must hold this plan, byte for byte: another one is
 * MKV_BAD_USAGE. A missing bundle is -ENOENT; one that another process writes
 * is -EBUSY, and the message names the process. */
int mkv_bundle_open(const char *path, const struct mkv_bundle_inputs *inputs,
		    int64_t time_ns, struct mkv_bundle **ret,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
/* Unlocks. */
void mkv_bundle_free(struct mkv_bundle *bundle);
MKV_DEFINE_AUTO(bundle, struct mkv_bundle *, mkv_bundle_free)
#define auto_bundle mkv_auto(bundle)

/* Borrowed. What opening repaired, one sentence each: a torn line of the
 * journal and the file that now holds it, a run whose directory was completed.
 */
const char *const *mkv_bundle_repairs(const struct mkv_bundle *bundle,
				      size_t *ret_count) mkv_nonnull(1, 2);
/* The journal, for events that this module doesn't write: note. */
struct mkv_journal *mkv_bundle_journal(struct mkv_bundle *bundle)
	mkv_nonnull(1);
/* mkv_bundle_finish() succeeded: nothing can be added any more. */
bool mkv_bundle_is_finished(const struct mkv_bundle *bundle) mkv_nonnull(1);

/* Journals the boot of a host, once: event `boot`. */
int mkv_bundle_add_boot(struct mkv_bundle *bundle, const char *host,
			const char *boot_id, const char *contract_sha256,
			int64_t time_ns, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 6);

/* Journals a command before it is sent. Its sequence is the next one: larger
 * than all in the journal, also after a crash. */
int mkv_bundle_next_sequence(struct mkv_bundle *bundle, int64_t time_ns,
			     const char *run, unsigned attempt,
			     const char *step, uint64_t *ret,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5, 6, 7);

/* The state of a run by the journal. */
struct mkv_bundle_run {
	unsigned attempts; /* the largest number that was ordered or adopted */
	unsigned adopted;  /* attempts that the bundle holds or that are lost */
	unsigned valid;	   /* the number of the valid attempt; 0: none */
	bool is_pending;   /* attempt `attempts` was ordered, and neither
			      adopted nor lost */
};
void mkv_bundle_find_run(const struct mkv_bundle *bundle, const char *run,
			 struct mkv_bundle_run *ret) mkv_nonnull(1, 2, 3);

/* Copies an appliance to appliances/NAME: every file but disks (disk.*) and
 * those over MKV_BUNDLE_COPY_LIMIT_BYTES, each compared with the appliance's
 * signed SHA256SUMS. An equal copy is kept; a different one is an error, since
 * an appliance must not change in a campaign. */
int mkv_bundle_add_appliance(struct mkv_bundle *bundle, const char *name,
			     const char *appliance,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Creates the staging directory of an attempt, or finds it with the files that
 * an interrupted download left in it; those with the temporary names of
 * lib/io.h are removed. `ret_path` is owned by the caller. */
int mkv_bundle_begin_run(struct mkv_bundle *bundle, const char *run,
			 unsigned attempt, char **ret_path,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);

/* A file of a run as the conductor listed it. */
struct mkv_bundle_file {
	const char *name; /* relative to the run, "receipts/order/after/.." */
	uint64_t size_bytes;
	struct mkv_sha256 sha256;
};
/* Checks that the staging directory holds exactly these files with these sizes
 * and digests, and that run.json is of this run, attempt and plan; syncs them,
 * journals the event `attempt` with all digests and renames the directory to
 * its place. A file that differs is MKV_UNVERIFIED, the message names it, and
 * the staging directory stays. */
int mkv_bundle_adopt_run(struct mkv_bundle *bundle, const char *run,
			 unsigned attempt, const struct mkv_bundle_file *files,
			 size_t count, int64_t time_ns,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 7);
/* Journals an attempt that was ordered and has no results: the event `attempt`,
 * invalid for this reason, without files. Removes its staging directory. */
int mkv_bundle_lose_run(struct mkv_bundle *bundle, const char *run,
			unsigned attempt, const char *reason, int64_t time_ns,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 6);

/* Journals `complete` and writes ro-crate-metadata.json, SHA256SUMS, its
 * signature and the result statement, which names the planned runs that have no
 * valid attempt. The key must be the plan's. Equal files give equal bytes. A
 * finish that was interrupted is repeated. */
int mkv_bundle_finish(struct mkv_bundle *bundle,
		      const struct mkv_private_key *key, int64_t time_ns,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

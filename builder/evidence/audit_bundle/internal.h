/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the files of the audit of bundles. A function adds its findings and
 * returns negative only when the audit can't continue. */

#include "builder/evidence/audit/audit_internal.h"
#include "builder/evidence/audit_bundle/audit_bundle.h"
#include "builder/evidence/audit_bundle/idset.h"
#include "builder/evidence/bundle/bundle.h"
#include "builder/evidence/receipt/review.h"
#include "lib/plan.h"

enum {
	MKV_BUNDLE_JSON_MAX = 8 * 1024 * 1024, /* run.json, receipts, .. */
	MKV_BUNDLE_SPANS_MAX = 1 << 24,	       /* distinct ones of a run */
};

/* An arm's appliance in the bundle. */
struct mkv_bundle_arm {
	const char *appliance;
	struct mkv_manifest *manifest; /* NULL: unreadable, or another contract
					  than the plan's */
};

/* An attempt by the journal. */
struct mkv_bundle_event {
	size_t run; /* index into the plan's runs */
	unsigned attempt;
	bool is_valid;
	json_t *files;	 /* name -> SHA-256; NULL: lost */
	json_t *reasons; /* borrowed references are kept */
	int64_t time_ns;
};

struct mkv_bundle_audit {
	struct mkv_audit audit;
	struct mkv_bundle_report *report;
	struct mkv_plan *plan;
	char plan_sha256[MKV_SHA256_HEX_SIZE];
	struct mkv_bundle_arm *arms; /* as the plan's */
	/* Of the journal: */
	struct mkv_bundle_event *events;
	size_t n_events;
	unsigned *valid; /* the valid attempt of each run of the plan; 0 */
	struct mkv_strings boots; /* "CONTRACT HOST BOOT" */
	json_t *boot_runs;	  /* boot -> index of the run that used it */
	struct mkv_receipt_boot *tpm_boots;
	size_t n_tpm_boots;
};

/* Adds a finding. */
#define mkv_bundle_find(at, path, ...)                                         \
	mkv_audit_add((at)->audit.report, path, __VA_ARGS__)

/* Reads a JSON object. 1 when that was a finding. */
int mkv_bundle_read_json(struct mkv_bundle_audit *at, const char *path,
			 size_t limit_bytes, json_t **ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
/* Adds the recorded error as a finding; negative for out of memory. */
int mkv_bundle_find_error(struct mkv_bundle_audit *at, const char *path, int rc,
			  const struct mkv_error *err) mkv_nonnull(1, 2, 4);

/* appliances/: what is there has the digests of its signed SHA256SUMS, what
 * isn't is large, and the contract is the plan's. */
int mkv_bundle_audit_arms(struct mkv_bundle_audit *at,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* journal.jsonl, and that its events follow the plan. */
int mkv_bundle_audit_journal(struct mkv_bundle_audit *at,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* attestations/result.sigstore.json and ro-crate-metadata.json. */
int mkv_bundle_audit_result(struct mkv_bundle_audit *at,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* An attempt with results. */
struct mkv_bundle_run_audit {
	struct mkv_bundle_audit *at;
	const struct mkv_bundle_event *event;
	const struct mkv_plan_run *planned;
	const struct mkv_plan_arm *arm;
	const struct mkv_contract *contract; /* NULL: unreadable */
	char path[MKV_PLAN_ID_MAX + 32];     /* "runs/ID" */
	json_t *document;		     /* run.json; NULL: unreadable */
	const json_t *boots;		     /* host -> boot; borrowed */
	uint64_t received;		     /* spans, by run.json */
	struct mkv_idset traces;	     /* of the spans */
};
/* "runs/ID/NAME" */
void mkv_bundle_file_path(const struct mkv_bundle_run_audit *run,
			  const char *name, char ret[static 512])
	mkv_nonnull(1, 2);
bool mkv_bundle_has_file(const struct mkv_bundle_run_audit *run,
			 const char *name) mkv_nonnull(1, 2);
const char *mkv_bundle_boot_of(const struct mkv_bundle_run_audit *run,
			       const char *host) mkv_nonnull(1, 2);

int mkv_bundle_audit_run(struct mkv_bundle_audit *at,
			 const struct mkv_bundle_event *event,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The parts of a run. */
int mkv_bundle_audit_traces(struct mkv_bundle_run_audit *run,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* After the traces. */
int mkv_bundle_audit_load(struct mkv_bundle_run_audit *run,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
int mkv_bundle_audit_metrics(struct mkv_bundle_run_audit *run,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
int mkv_bundle_audit_receipts(struct mkv_bundle_run_audit *run,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* What run.json says of a valid run must be within the plan's limits. */
void mkv_bundle_audit_verdict(struct mkv_bundle_run_audit *run) mkv_nonnull(1);

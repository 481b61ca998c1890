/* SPDX-License-Identifier: MIT */
#pragma once
/* The audit of a result bundle (docs/BUNDLE.md): signatures, digests, the
 * journal's chain, that the runs are those of the plan, and that contract and
 * boot of receipts, spans and run.json are the same. It repairs nothing. The
 * bundle may be hostile: sizes, numbers and memory are bounded. */

#include "builder/evidence/audit/audit.h"
#include "lib/strings.h"

struct mkv_bundle_report {
	struct mkv_audit_report audit; /* findings, key, files, signatures */
	char campaign[128];
	bool is_trial;
	char scale[16];
	bool is_finished;
	uint64_t planned;	    /* runs of the plan */
	uint64_t valid;		    /* runs with a valid attempt */
	uint64_t invalid;	    /* attempts, with results or lost */
	struct mkv_strings missing; /* ids of runs without a valid attempt */
	uint64_t requests, spans, samples; /* of all attempts */
	/* Receipts of guests in valid runs in which the hypervisor host took no
	 * part: its pins and pages are not established. */
	uint64_t uncorrelated;
};
void mkv_bundle_report_done(struct mkv_bundle_report *report) mkv_nonnull(1);
#define auto_bundle_report __attribute__((cleanup(mkv_bundle_report_done)))

/* Whether the path is a directory that holds plan.json or journal.jsonl. */
bool mkv_bundle_is_at(const char *path) mkv_nonnull(1);

/* As mkv_audit_run(); `deep` is ignored. */
int mkv_bundle_audit(const struct mkv_audit_options *options,
		     struct mkv_bundle_report *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

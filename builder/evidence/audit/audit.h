/* SPDX-License-Identifier: MIT */
#pragma once
/* The audit: an independent reader of a finished appliance or disk image. It
 * reports each difference from the signed contract and files, and repairs
 * nothing. */

#include "builder/core/progress/progress.h"
#include "lib/sig.h"

/* One difference. */
struct mkv_audit_finding {
	char *path; /* "dut/disk.raw", "dut/disk.raw:/etc/passwd" */
	char *text; /* "sha256 differs: expected .. got .." */
};

enum mkv_key_origin {
	MKV_KEY_GIVEN,	/* named by the caller */
	MKV_KEY_OWN,	/* the user's own key.pub */
	MKV_KEY_INSIDE, /* the appliance's own: proves integrity, not origin */
};

enum { MKV_FINDINGS_MAX = 10000 };

struct mkv_audit_report {
	struct mkv_audit_finding *findings; /* by path, then text */
	size_t n_findings, capacity;
	uint64_t omitted; /* found after MKV_FINDINGS_MAX */
	bool failed;	  /* out of memory: mkv_audit_run() fails */
	enum mkv_key_origin key_origin;
	struct mkv_public_key key;
	uint64_t files;	     /* that were compared with SHA256SUMS */
	uint64_t bytes;	     /* of these files */
	uint64_t signatures; /* that were verified */
	uint64_t entries;    /* of root file systems that were compared */
};
void mkv_audit_report_done(struct mkv_audit_report *report) mkv_nonnull(1);
#define auto_audit_report __attribute__((cleanup(mkv_audit_report_done)))

struct mkv_audit_options {
	const char *path; /* an appliance's directory, or a disk image, whose
			     audit is always deep */
	const char *key;  /* PEM file; NULL: the user's own key, else the
			     appliance's */
	bool deep;
	struct mkv_progress *progress; /* or NULL */
};

/* 0 when the audit ran to its end, with or without findings in `ret`. A path
 * that can't be opened or is no appliance is MKV_HOST_CANNOT. */
int mkv_audit_run(const struct mkv_audit_options *options,
		  struct mkv_audit_report *ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

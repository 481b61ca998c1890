/* SPDX-License-Identifier: MIT */
#pragma once
/* The audit: an independent reader of a finished appliance or disk image. It
 * reports what differs from what was signed and never repairs. */

#include "builder/core/progress/progress.h"
#include "lib/sig.h"

/* One thing that isn't as it should be. */
struct mkv_audit_finding {
	char *path; /* "dut/disk.raw", "dut/disk.raw:/etc/passwd" */
	char *text; /* "sha256 differs: expected .. got .." */
};

enum mkv_key_origin {
	MKV_KEY_GIVEN,	/* the caller trusts it */
	MKV_KEY_OWN,	/* the user's own key.pub */
	MKV_KEY_INSIDE, /* the appliance's: proves integrity, not origin */
};

enum { MKV_FINDINGS_MAX = 10000 };

struct mkv_audit_report {
	struct mkv_audit_finding *findings; /* by path, then text */
	size_t n_findings, capacity;
	uint64_t omitted; /* found after MKV_FINDINGS_MAX */
	bool failed;	  /* memory ran out; mkv_audit_run() says so */
	enum mkv_key_origin key_origin;
	struct mkv_public_key key;
	uint64_t files;	     /* compared with SHA256SUMS */
	uint64_t bytes;	     /* of them */
	uint64_t signatures; /* that hold */
	uint64_t entries;    /* of root file systems, compared one by one */
};
void mkv_audit_report_done(struct mkv_audit_report *report) mkv_nonnull(1);
#define auto_audit_report __attribute__((cleanup(mkv_audit_report_done)))

struct mkv_audit_options {
	const char *path; /* an appliance's folder, or a disk image, which is
			     always audited deeply */
	const char *key;  /* PEM; NULL: the user's own, else the one inside */
	bool deep;
	struct mkv_progress *progress; /* or NULL */
};

/* 0 when the audit could be made, whatever it found; `ret` then holds the
 * findings. What isn't an appliance or can't be opened is MKV_HOST_CANNOT. */
int mkv_audit_run(const struct mkv_audit_options *options,
		  struct mkv_audit_report *ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The audit: an independent reader of a finished appliance or disk image. It
 * reports what differs from what was signed and never repairs. */

#include "lib/sig.h"

/* One thing that isn't as it should be. */
struct mkv_finding {
	char *path; /* "dut/disk.raw", "dut/disk.raw:/etc/passwd" */
	char *text; /* "sha256 differs: expected .. got .." */
};

enum mkv_key_origin {
	MKV_KEY_GIVEN,	/* the caller trusts it */
	MKV_KEY_OWN,	/* the user's own key.pub */
	MKV_KEY_INSIDE, /* the appliance's: proves integrity, not origin */
};

struct mkv_audit_report {
	struct mkv_finding *findings; /* by path, then text */
	size_t n_findings;
	enum mkv_key_origin key_origin;
	struct mkv_public_key key;
	uint64_t files;	     /* of the appliance, compared */
	uint64_t bytes;	     /* of them */
	uint64_t signatures; /* that hold */
	uint64_t entries;    /* of root file systems, compared one by one */
};
void mkv_audit_report_done(struct mkv_audit_report *report) mkv_nonnull(1);
#define auto_audit_report __attribute__((cleanup(mkv_audit_report_done)))

/* `path` is an appliance's folder, or a disk image, which is always deep. `key`
 * NULL: the user's own, else the one inside. 0 when the audit could be made,
 * whatever it found; `ret` then holds the findings. */
int mkv_audit_run(const char *path, const char *key, bool deep,
		  struct mkv_audit_report *ret, struct mkv_error *err)
	mkv_must_check mkv_nonnull(1, 4, 5);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The partition table as libfdisk reads it. The only place that links libfdisk.
 */

#include "builder/evidence/audit/audit.h"

struct mkv_audit_partition {
	unsigned number; /* from 1 */
	bool is_esp, is_root;
	char type[40]; /* GUID, upper case */
	uint64_t first_sector, sectors;
};
enum { MKV_AUDIT_PARTITIONS_MAX = 128 };

/* Reads the table. Each diagnostic of libfdisk (checksums, backup, overlaps) is
 * a finding at `where`; so is a disk without a GPT, which has no partitions. */
int mkv_audit_gpt(const char *path, const char *where,
		  struct mkv_audit_report *report,
		  struct mkv_audit_partition *partitions, size_t *ret_count,
		  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6);

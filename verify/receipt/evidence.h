/* SPDX-License-Identifier: MIT */
#pragma once
/* Raw evidence: the unchanged data that checks have read, so that others can
 * judge it again. The receipt has the digest of each file, so that a signature
 * covers the evidence too. */

#include "verify/probe/env.h"

enum mkv_evidence {
	MKV_EVIDENCE_CPUID,  /* the registers of every CPU */
	MKV_EVIDENCE_SYSTEM, /* the kernel's own files */
	MKV_EVIDENCE_CLOCK,  /* one line for each reading of the clock */
	MKV_EVIDENCE_KINDS,
};

/* The name of the file in the directory of the receipts. A watch writes no
 * evidence, because the names are those of the boot. Owned by the caller; NULL:
 * out of memory. */
char *mkv_evidence_name(enum mkv_evidence evidence,
			enum mkv_phase phase) mkv_must_check;

/* Appends "== PATH" and the content of each file that can be read. */
void mkv_evidence_system(const struct mkv_env *env, struct mkv_buf *into)
	mkv_nonnull(1, 2);

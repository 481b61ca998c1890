/* SPDX-License-Identifier: MIT */
#pragma once
/* Raw evidence: what was read, as it was, for who wants to judge again. The
 * receipt names each file by digest, so a signature covers it. */

#include "verify/probe/env.h"

enum mkv_evidence {
	MKV_EVIDENCE_CPUID,  /* the registers of every CPU */
	MKV_EVIDENCE_SYSTEM, /* the kernel's own files */
	MKV_EVIDENCE_CLOCK,  /* every reading of the clock, a line each */
	MKV_EVIDENCE_KINDS,
};

/* The file beside the receipt of a phase; a watch has none, so that it doesn't
 * write over a boot's. The text is the caller's; NULL when out of memory. */
char *mkv_evidence_name(enum mkv_evidence evidence,
			enum mkv_phase phase) mkv_must_check;

/* Appends "== PATH" and the content of each file, as far as it can be read. */
void mkv_evidence_system(const struct mkv_env *env, struct mkv_buf *into)
	mkv_nonnull(1, 2);

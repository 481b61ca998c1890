/* SPDX-License-Identifier: MIT */
#pragma once
/* Why a run is invalid. */

#include <jansson.h>

enum mkv_reason {
	MKV_REASON_NOT_ALL_ANSWERED,
	MKV_REASON_SPANS_DROPPED,
	MKV_REASON_SPANS_MISSING,
	MKV_REASON_LATE,
	MKV_REASON_RATE,
	MKV_REASON_BLOCKED,
	MKV_REASON_RECEIPT_FAILED,
	MKV_REASON_RECEIPT_BROKEN,
	MKV_REASON_HOST_REBOOTED,
	MKV_REASON_HOST_SILENT,
	MKV_REASON_SERVICE_FAILED,
	MKV_REASON_INTERRUPTED,
	MKV_REASON_CLOCK_STEPPED,
	MKV_REASON_DISK_FULL,
	MKV_REASONS,
};

/* "not-all-answered" */
const char *mkv_reason_name(enum mkv_reason reason);
/* A list of the names of a set, in the order above; NULL: out of memory. */
json_t *mkv_reasons_pack(unsigned set);

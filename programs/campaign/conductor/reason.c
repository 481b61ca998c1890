/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/reason.h"

static const char *const names[MKV_REASONS] = {
	[MKV_REASON_NOT_ALL_ANSWERED] = "not-all-answered",
	[MKV_REASON_SPANS_DROPPED] = "spans-dropped",
	[MKV_REASON_SPANS_MISSING] = "spans-missing",
	[MKV_REASON_LATE] = "late",
	[MKV_REASON_RATE] = "rate",
	[MKV_REASON_BLOCKED] = "blocked",
	[MKV_REASON_RECEIPT_FAILED] = "receipt-failed",
	[MKV_REASON_RECEIPT_BROKEN] = "receipt-broken",
	[MKV_REASON_HOST_REBOOTED] = "host-rebooted",
	[MKV_REASON_HOST_SILENT] = "host-silent",
	[MKV_REASON_SERVICE_FAILED] = "service-failed",
	[MKV_REASON_INTERRUPTED] = "interrupted",
	[MKV_REASON_CLOCK_STEPPED] = "clock-stepped",
	[MKV_REASON_DISK_FULL] = "disk-full",
};

const char *mkv_reason_name(enum mkv_reason reason)
{
	return names[reason];
}

json_t *mkv_reasons_pack(unsigned set)
{
	json_t *list = json_array();
	for (unsigned i = 0; list && i < MKV_REASONS; i++)
		if (set & 1U << i)
			(void)json_array_append_new(list,
						    json_string(names[i]));
	return list;
}

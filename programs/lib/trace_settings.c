/* SPDX-License-Identifier: MIT */
#include "programs/lib/trace_queue.h"

int64_t mkv_trace_spare_bytes = 64 << 20;

const struct mkv_service_setting mkv_trace_settings[] = {
	{.name = "OTLP_ENDPOINT",
	 .doc = "destination of spans, `http://HOST:4318`; default: port 4318 "
		"of MKVBENCH_ADDRESS_COLLECTOR; `none`: no export"},
	{.name = "TRACE_FILE",
	 .doc = "file for spans as OTLP JSON lines, used without OTLP_ENDPOINT; "
		"default without a collector: /var/lib/PROGRAM/traces.jsonl, if "
		"that directory is writable; `none`: no export"},
	{"TRACE_SPARE", MKV_SETTING_SIZE, "64MiB", 0, INT64_C(1) << 40,
	 .doc = "free space to keep on the disk of TRACE_FILE; spans wait in the "
		"queue for more, then are dropped",
	 .number = &mkv_trace_spare_bytes},
	{.name = "HOST", .doc = "resource attribute `host.name` of every span"},
	{.name = "ROLE",
	 .doc = "resource attribute `mkvbench.role` of every span"},
	{.name = "SCENARIO",
	 .doc = "resource attribute `mkvbench.scenario` of every span"},
	{.name = "CONTRACT",
	 .doc = "resource attribute `mkvbench.contract` of every span: SHA-256 of the contract"},
	{.name = "BOOT_ID",
	 .doc = "resource attribute `mkvbench.boot_id` of every span"},
	{0},
};

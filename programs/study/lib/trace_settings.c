/* SPDX-License-Identifier: MIT */
#include "programs/study/lib/trace_queue.h"

int64_t mkv_trace_spare_bytes = 64 << 20;

const struct mkv_service_setting mkv_trace_settings[] = {
	{.name = "OTLP_ENDPOINT",
	 .doc = "where spans go, `http://HOST:4318`; unless set, port 4318 of "
		"MKVBENCH_ADDRESS_COLLECTOR; `none`: nowhere"},
	{.name = "TRACE_FILE",
	 .doc = "a file that takes spans instead, as OTLP JSON lines; without a "
		"collector traces.jsonl in /var/lib/PROGRAM, where that is; "
		"`none`: none"},
	{"TRACE_SPARE", MKV_SETTING_SIZE, "64MiB", 0, INT64_C(1) << 40,
	 .doc = "what stays free on the disk of TRACE_FILE; spans wait for more, "
		"then are dropped",
	 .number = &mkv_trace_spare_bytes},
	{.name = "HOST", .doc = "of every span: `host.name`"},
	{.name = "ROLE", .doc = "of every span: `mkvbench.role`"},
	{.name = "SCENARIO", .doc = "of every span: `mkvbench.scenario`"},
	{.name = "CONTRACT",
	 .doc = "of every span: `mkvbench.contract`, the contract's SHA-256"},
	{.name = "BOOT_ID", .doc = "of every span: `mkvbench.boot_id`"},
	{0},
};

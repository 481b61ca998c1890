/* SPDX-License-Identifier: MIT */
#include "verify/receipt/evidence.h"

#include <fcntl.h>
#include <string.h>

#include "lib/io.h"

enum { FILE_BYTES_MAX = 1 << 20 };

/* Files that checks read, and files that explain a result. */
static const char *const files[] = {
	"/proc/version",
	"/proc/cmdline",
	"/proc/cpuinfo",
	"/proc/meminfo",
	"/proc/modules",
	"/proc/self/mounts",
	"/proc/swaps",
	"/proc/sys/kernel/tainted",
	"/sys/devices/system/clocksource/clocksource0/available_clocksource",
	"/sys/devices/system/clocksource/clocksource0/current_clocksource",
	"/sys/devices/system/cpu/online",
	"/sys/devices/system/cpu/present",
	"/sys/devices/system/cpu/smt/active",
	"/sys/devices/system/cpu/vulnerabilities/itlb_multihit",
	"/sys/devices/system/cpu/vulnerabilities/l1tf",
	"/sys/devices/system/cpu/vulnerabilities/mds",
	"/sys/devices/system/cpu/vulnerabilities/meltdown",
	"/sys/devices/system/cpu/vulnerabilities/retbleed",
	"/sys/devices/system/cpu/vulnerabilities/spec_store_bypass",
	"/sys/devices/system/cpu/vulnerabilities/spectre_v1",
	"/sys/devices/system/cpu/vulnerabilities/spectre_v2",
	"/sys/devices/system/node/online",
	"/sys/kernel/mm/ksm/run",
	"/sys/kernel/mm/transparent_hugepage/defrag",
	"/sys/kernel/mm/transparent_hugepage/enabled",
};

char *mkv_evidence_name(enum mkv_evidence evidence, enum mkv_phase phase)
{
	static const char *const names[] = {
		[MKV_EVIDENCE_CPUID] = "cpuid.txt",
		[MKV_EVIDENCE_SYSTEM] = "system.txt",
		[MKV_EVIDENCE_CLOCK] = "clock.txt",
	};
	char *name = NULL;
	return asprintf(&name, "%s%s",
			phase == MKV_PHASE_AFTER_START ? "after-start-" : "",
			names[evidence]) < 0
		       ? NULL
		       : name;
}

void mkv_evidence_system(const struct mkv_env *env, struct mkv_buf *into)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		auto_free char *path = mkv_env_path(env, "%s", files[i]);
		auto_buf struct mkv_buf text = {0};
		struct mkv_error err;
		if (!path || mkv_read_file(AT_FDCWD, path, FILE_BYTES_MAX,
					   &text, &err) < 0)
			continue;
		mkv_buf_printf(into, "== %s\n", files[i]);
		mkv_buf_add(into, text.data, text.size);
		if (text.size && text.data[text.size - 1] != '\n')
			mkv_buf_char(into, '\n');
	}
}

/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <dirent.h>
#include <string.h>

#include "verify/probe/sysfs.h"

/* The word in brackets of "always [madvise] never", in place; NULL: none. */
static const char *find_chosen(char *text)
{
	char *open = text ? strchr(text, '[') : NULL;
	char *close = open ? strchr(open, ']') : NULL;
	if (!close)
		return NULL;
	*close = '\0';
	return open + 1;
}

static const char *on_off(int64_t value)
{
	return value < 0 ? NULL : value ? "on" : "off";
}

void mkv_check_governor(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char source[] =
		"/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor";
	const char *expected = mkv_env_setting(env, "governor");
	struct mkv_cpuset online;
	if (!mkv_sysfs_online(env, &online)) {
		mkv_answer_compare(answer, "governor", source, expected, NULL);
		return;
	}
	char shown[64] = "";
	for (unsigned cpu = 0; cpu < MKV_CPUS_MAX; cpu++) {
		if (!mkv_cpuset_has(&online, cpu))
			continue;
		auto_free char *here =
			mkv_env_read(env,
				     "/sys/devices/system/cpu/cpu%u/cpufreq/"
				     "scaling_governor",
				     cpu);
		const char *now = here ? here : "none";
		if (shown[0] && strcmp(shown, now) != 0) {
			mkv_answer_say(
				answer, expected ? MKV_FAIL : MKV_NOT_PROMISED,
				"governor", source, expected,
				"'%s', but CPU %u has '%s'", shown, cpu, now);
			return;
		}
		(void)snprintf(shown, sizeof(shown), "%s", now);
	}
	/* Without cpufreq the governor is unknown. */
	bool is_unknown = expected && strcmp(expected, "none") != 0 &&
			  strcmp(shown, "none") == 0;
	mkv_answer_compare(answer, "governor", source, expected,
			   is_unknown ? NULL : shown);
	auto_free char *driver = mkv_env_read(
		env, "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_driver",
		mkv_cpuset_first(&online));
	mkv_answer_add(answer, MKV_NOT_PROMISED, "driver",
		       "/sys/devices/system/cpu/cpu*/cpufreq/scaling_driver",
		       NULL, driver);
}

void mkv_check_boost(const struct mkv_env *env, struct mkv_answer *answer)
{
	const char *source = "/sys/devices/system/cpu/cpufreq/boost";
	int64_t boost = mkv_env_read_number(env, "%s", source);
	if (boost < 0) {
		source = "/sys/devices/system/cpu/intel_pstate/no_turbo";
		int64_t off = mkv_env_read_number(env, "%s", source);
		boost = off < 0 ? -1 : !off;
	}
	mkv_answer_compare(answer, "boost", source,
			   mkv_env_setting(env, "boost"), on_off(boost));
}

void mkv_check_transparent_hugepage(const struct mkv_env *env,
				    struct mkv_answer *answer)
{
	static const char source[] =
		"/sys/kernel/mm/transparent_hugepage/enabled";
	auto_free char *text = mkv_env_read(env, source);
	mkv_answer_compare(answer, "transparent huge pages", source,
			   mkv_env_setting(env, "transparent_hugepage"),
			   find_chosen(text));
	auto_free char *defrag =
		mkv_env_read(env, "/sys/kernel/mm/transparent_hugepage/defrag");
	mkv_answer_add(answer, MKV_NOT_PROMISED, "defrag",
		       "/sys/kernel/mm/transparent_hugepage/defrag", NULL,
		       find_chosen(defrag));
}

void mkv_check_ksm(const struct mkv_env *env, struct mkv_answer *answer)
{
	/* 2: stopped, and all pages unmerged. */
	int64_t run = mkv_env_read_number(env, "/sys/kernel/mm/ksm/run");
	mkv_answer_compare(answer, "page merging", "/sys/kernel/mm/ksm/run",
			   mkv_env_setting(env, "ksm"),
			   run < 0    ? NULL
			   : run == 1 ? "on"
				      : "off");
}

void mkv_check_numa_balancing(const struct mkv_env *env,
			      struct mkv_answer *answer)
{
	mkv_answer_compare(answer, "NUMA balancing",
			   "/proc/sys/kernel/numa_balancing",
			   mkv_env_setting(env, "numa_balancing"),
			   on_off(mkv_env_read_number(
				   env, "/proc/sys/kernel/numa_balancing")));
}

void mkv_check_swap(const struct mkv_env *env, struct mkv_answer *answer)
{
	auto_free char *text = mkv_env_read(env, "/proc/swaps");
	/* The heading shows that the file was read to the end of its first
	 * line.
	 */
	bool is_table = text && strncmp(text, "Filename", 8) == 0 &&
			strstr(text, "Priority");
	const char *second = is_table ? strchr(text, '\n') : NULL;
	mkv_answer_compare(answer, "swap", "/proc/swaps",
			   mkv_env_setting(env, "swap"),
			   !is_table ? NULL
			   : second  ? second + 1
				     : "none");
}

/* Disks, not loops, RAM disks or optical drives. */
static bool is_disk(const char *name)
{
	static const char *const prefixes[] = {"sd", "vd", "nvme", "xvd",
					       "mmcblk"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

void mkv_check_io_scheduler(const struct mkv_env *env,
			    struct mkv_answer *answer)
{
	const char *expected = mkv_env_setting(env, "io_scheduler");
	auto_free char *path = mkv_env_path(env, "/sys/block");
	auto_dir DIR *dir = path ? opendir(path) : NULL;
	unsigned disks = 0;
	for (struct dirent *entry;
	     dir && disks < 256 && (entry = readdir(dir));) {
		if (!is_disk(entry->d_name))
			continue;
		disks++;
		auto_free char *text = mkv_env_read(
			env, "/sys/block/%s/queue/scheduler", entry->d_name);
		char source[320];
		(void)snprintf(source, sizeof(source),
			       "/sys/block/%s/queue/scheduler", entry->d_name);
		const char *now = find_chosen(text);
		/* A device without a request queue has "none" without brackets.
		 */
		if (!now && text && strcmp(text, "none") == 0)
			now = "none";
		mkv_answer_compare(answer, entry->d_name, source, expected,
				   now);
	}
	if (disks == 0)
		mkv_answer_compare(answer, "disks", "/sys/block", expected,
				   NULL);
}

void mkv_check_sysctls(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_pairs *wanted = &env->image->sysctls;
	for (size_t i = 0; i < wanted->count; i++) {
		char path[256];
		int used = snprintf(path, sizeof(path), "/proc/sys/%s",
				    wanted->items[i].key);
		bool safe = used > 0 && (size_t)used < sizeof(path) &&
			    !strstr(wanted->items[i].key, "..");
		/* sysctl.d(5): if the first separator is a dot, dots and
		 * slashes are swapped. */
		size_t first = strcspn(path + 10, "./");
		bool dotted = path[10 + first] == '.';
		for (char *at = path + 10; dotted && *at; at++)
			*at = *at == '.' ? '/' : *at == '/' ? '.' : *at;
		auto_free char *value =
			safe ? mkv_env_read(env, "%s", path) : NULL;
		for (char *at = value; at && *at; at++)
			if (*at == '\t')
				*at = ' ';
		mkv_answer_compare(answer, wanted->items[i].key, path,
				   wanted->items[i].value, value);
	}
}

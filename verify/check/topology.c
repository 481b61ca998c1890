/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <string.h>

#include "verify/probe/sysfs.h"

static void compare_count(struct mkv_answer *answer, const char *what,
			  const char *source, unsigned expected,
			  int64_t observed)
{
	char wanted[16];
	(void)snprintf(wanted, sizeof(wanted), "%u", expected);
	if (observed < 0)
		mkv_answer_add(answer, expected ? MKV_FAIL : MKV_NOT_PROMISED,
			       what, source, expected ? wanted : NULL,
			       "different numbers");
	else
		mkv_answer_number(answer, what, source,
				  expected ? (int64_t)expected : -1, observed);
}

static void compare_counts(const struct mkv_env *env, struct mkv_answer *answer,
			   const char *source, const struct mkv_cpu_sets *cores,
			   const struct mkv_cpu_sets *packages)
{
	const struct mkv_contract_cpu *cpu = &env->image->cpu;
	compare_count(answer, "sockets", source, cpu->sockets,
		      (int64_t)packages->count);
	compare_count(answer, "cores of a socket", source, cpu->cores,
		      mkv_cpu_cores_each(cores, packages));
	compare_count(answer, "threads of a core", source, cpu->threads,
		      mkv_cpu_sets_even(cores));
}

static void sets_text(const struct mkv_cpu_sets *sets, char *ret, size_t size)
{
	size_t used = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < sets->count && used + 8 < size; i++) {
		char one[128];
		mkv_cpuset_text(&sets->items[i], one, sizeof(one));
		int put = snprintf(ret + used, size - used, "%s{%s}",
				   used ? " " : "", one);
		used += put > 0 ? (size_t)put : 0;
	}
}

static void compare_partitions(struct mkv_answer *answer, const char *what,
			       const char *leaf,
			       const struct mkv_cpu_sets *registers,
			       const struct mkv_cpu_sets *kernel)
{
	char by_cpuid[512], by_kernel[512];
	sets_text(registers, by_cpuid, sizeof(by_cpuid));
	sets_text(kernel, by_kernel, sizeof(by_kernel));
	char source[128];
	(void)snprintf(source, sizeof(source),
		       "%s against /sys/devices/system/cpu/cpu*/topology",
		       leaf);
	mkv_answer_add(answer,
		       mkv_cpu_sets_equal(registers, kernel) ? MKV_PASS
							     : MKV_FAIL,
		       what, source, by_cpuid, by_kernel);
}

/* A CPU that is present but offline is one that the contract counts. The
 * kernel's own list, `offline`, also has CPUs that are only possible: the empty
 * slots of a machine that allows hot-plug. */
static void check_offline(const struct mkv_env *env,
			  const struct mkv_cpuset *online,
			  struct mkv_answer *answer)
{
	static const char source[] = "/sys/devices/system/cpu/present";
	struct mkv_cpuset present;
	char text[128] = "none";
	bool is_known = mkv_env_read_cpus(env, &present, "%s", source) &&
			mkv_cpuset_is_within(online, &present);
	if (is_known) {
		mkv_cpuset_subtract(&present, online);
		if (mkv_cpuset_count(&present))
			mkv_cpuset_text(&present, text, sizeof(text));
	}
	mkv_answer_compare(answer, "offline CPUs", source, "none",
			   is_known ? text : NULL);
}

void mkv_check_cpu_topology(const struct mkv_env *env,
			    struct mkv_answer *answer)
{
	const struct mkv_contract_cpu *cpu = &env->image->cpu;
	bool promised = cpu->sockets || cpu->cores || cpu->threads;
	enum mkv_result unseen =
		promised ? MKV_NOT_ESTABLISHED : MKV_NOT_PROMISED;
	struct mkv_error err;
	struct mkv_cpuset online;
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	auto_cpu_sets struct mkv_cpu_sets k_cores = {0}, k_packages = {0};
	const char *leaf = "CPUID";
	if (!env->cpuid) {
		mkv_answer_add(answer, unseen, "registers", "CPUID, every CPU",
			       "readable", NULL);
		return;
	}
	if (mkv_cpuid_topology(env->cpuid, &cores, &packages, &leaf, &err) <
	    0) {
		mkv_answer_add(answer, unseen, "registers", "CPUID", "readable",
			       err.message);
		return;
	}
	compare_counts(env, answer, leaf, &cores, &packages);
	if (!mkv_sysfs_online(env, &online) ||
	    mkv_sysfs_topology(env, &online, &k_cores, &k_packages, &err) < 0) {
		mkv_answer_add(answer, unseen, "the kernel's view",
			       "/sys/devices/system/cpu", "readable", NULL);
		return;
	}
	if (!promised)
		return;
	compare_partitions(answer, "threads of a core", leaf, &cores, &k_cores);
	compare_partitions(answer, "CPUs of a socket", leaf, &packages,
			   &k_packages);
	check_offline(env, &online, answer);
}

void mkv_check_smt(const struct mkv_env *env, struct mkv_answer *answer)
{
	const char *setting = mkv_env_setting(env, "smt");
	const struct mkv_contract_cpu *cpu = &env->image->cpu;
	const char *expected = setting		   ? setting
			       : cpu->threads == 0 ? NULL
			       : cpu->threads > 1  ? "on"
						   : "off";
	int64_t active =
		mkv_env_read_number(env, "/sys/devices/system/cpu/smt/active");
	mkv_answer_compare(answer, "SMT", "/sys/devices/system/cpu/smt/active",
			   expected,
			   active < 0 ? NULL
			   : active   ? "on"
				      : "off");
	auto_free char *control =
		mkv_env_read(env, "/sys/devices/system/cpu/smt/control");
	mkv_answer_add(answer, MKV_NOT_PROMISED, "SMT control",
		       "/sys/devices/system/cpu/smt/control", NULL, control);
}

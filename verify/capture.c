/* SPDX-License-Identifier: MIT */
#include "verify/capture.h"

#include <ctype.h>
#include <string.h>

#include "verify/probe/drivers.h"
#include "verify/probe/sysfs.h"
#include "verify/probe/tpm.h"

/* Features that decide which code paths libraries and databases take. */
static const char *const features[] = {
	"sse4_2", "avx",  "avx2",    "fma",    "bmi2",	  "aes",
	"sha_ni", "vaes", "avx512f", "rdtscp", "topoext",
};

/* "AMD Ryzen 5 PRO 3600 6-Core Processor" -> "amd-ryzen-5-pro-3600-6-core-..."
 */
static void add_name(struct mkv_buf *into, const char *brand)
{
	bool dash = false, any = false;
	for (const char *at = brand; *at; at++) {
		if (isalnum((unsigned char)*at)) {
			if (dash && any)
				mkv_buf_char(into, '-');
			mkv_buf_char(into, (char)tolower((unsigned char)*at));
			any = true;
			dash = false;
		} else {
			dash = true;
		}
	}
	if (!any)
		mkv_buf_str(into, "unnamed");
}

/* A YAML double-quoted scalar. */
static void add_quoted(struct mkv_buf *into, const char *text)
{
	mkv_buf_char(into, '"');
	for (const char *at = text; *at; at++) {
		if (*at == '"' || *at == '\\')
			mkv_buf_char(into, '\\');
		mkv_buf_char(into, (unsigned char)*at >= 0x20 &&
						   (unsigned char)*at < 0x7f
					   ? *at
					   : '?');
	}
	mkv_buf_char(into, '"');
}

static void add_size(struct mkv_buf *into, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
	size_t unit = 0;
	while (unit < 3 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	mkv_buf_printf(into, "%llu%s", (unsigned long long)bytes, units[unit]);
}

/* Sets of as many CPUs each, one at least. */
static bool are_alike(const struct mkv_cpu_sets *sets)
{
	for (size_t i = 1; i < sets->count; i++)
		if (mkv_cpuset_count(&sets->items[i]) !=
		    mkv_cpuset_count(&sets->items[0]))
			return false;
	return sets->count > 0;
}

/* A recipe says how many cores a socket has, and threads a core: one number. */
static int capture_topology(const struct mkv_env *env, struct mkv_buf *into,
			    struct mkv_error *err)
{
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	const char *leaf = NULL;
	int rc = mkv_cpuid_topology(env->cpuid, &cores, &packages, &leaf, err);
	if (rc < 0)
		return rc;
	if (!are_alike(&cores) || !are_alike(&packages) ||
	    cores.count % packages.count != 0)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOTSUP,
				"its cores, or its sockets, aren't all alike "
				"(a hybrid processor?): a recipe can't say "
				"that");
	mkv_buf_printf(into, "  sockets: %zu\n  cores: %zu\n  threads: %zu\n",
		       packages.count, cores.count / packages.count,
		       env->cpuid->count / cores.count);
	return 0;
}

static int capture_cpu(const struct mkv_env *env,
		       const struct mkv_cpu_identity *id, struct mkv_buf *into,
		       struct mkv_error *err)
{
	mkv_buf_str(into, "cpu:\n  vendor: ");
	add_quoted(into, id->vendor);
	mkv_buf_str(into, "\n  brand: ");
	add_quoted(into, id->brand);
	mkv_buf_printf(into, "\n  family: %u\n  model: %u\n  stepping: %u\n",
		       id->family, id->model, id->stepping);
	mkv_buf_str(into, "  features: [");
	bool any = false;
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		bool everywhere = true;
		for (size_t c = 0; c < env->cpuid->count; c++)
			everywhere = everywhere &&
				     mkv_cpu_feature(&env->cpuid->cpus[c],
						     features[i]) == 1;
		if (!everywhere)
			continue;
		mkv_buf_printf(into, "%s%s", any ? ", " : "", features[i]);
		any = true;
	}
	mkv_buf_str(into, "]\n");
	int rc = capture_topology(env, into, err);
	if (rc == 0 && id->hypervisor) {
		mkv_buf_str(into, "hypervisor: ");
		add_quoted(into, id->hypervisor_signature);
		mkv_buf_char(into, '\n');
	}
	return rc;
}

/* Of one kind: a recipe has one row for each level and type. */
static bool is_kind(const struct mkv_cache_instance *a,
		    const struct mkv_cache_instance *b)
{
	return a->level == b->level && a->type == b->type;
}

static bool is_alike(const struct mkv_cache_instance *a,
		     const struct mkv_cache_instance *b)
{
	return a->size_bytes == b->size_bytes && a->ways == b->ways &&
	       a->line_bytes == b->line_bytes &&
	       mkv_cpuset_count(&a->cpus) == mkv_cpuset_count(&b->cpus);
}

/* NULL when a recipe can say these caches, else why it can't. */
static const char *unsayable(const struct mkv_cache_list *list)
{
	if (!list->sharing_known)
		return "CPUID doesn't tell who shares them";
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < i; j++)
			if (is_kind(&list->items[i], &list->items[j]) &&
			    !is_alike(&list->items[i], &list->items[j]))
				return "those of a level aren't all alike, "
				       "which a recipe can't say";
	return list->count ? NULL : "CPUID tells none";
}

static void capture_cache(const struct mkv_cache_instance *cache,
			  struct mkv_buf *into)
{
	mkv_buf_printf(into, "  - {level: %u, type: %s, size: ", cache->level,
		       mkv_cache_type_name(cache->type));
	add_size(into, cache->size_bytes);
	if (cache->ways)
		mkv_buf_printf(into, ", ways: %u", cache->ways);
	mkv_buf_printf(into, ", line: %u, shared-by: %u}\n", cache->line_bytes,
		       mkv_cpuset_count(&cache->cpus));
}

static void capture_caches(const struct mkv_env *env, struct mkv_buf *into)
{
	auto_cache_list struct mkv_cache_list list = {0};
	const char *leaf = NULL;
	struct mkv_error err;
	const char *why = mkv_cpuid_caches(env->cpuid, &list, &leaf, &err) < 0
				  ? "CPUID tells none"
				  : unsayable(&list);
	if (why) {
		mkv_buf_printf(into, "# caches: none promised: %s\n", why);
		return;
	}
	mkv_buf_str(into, "caches:\n");
	for (size_t i = 0; i < list.count; i++) {
		bool known = false;
		for (size_t j = 0; j < i; j++)
			known = known ||
				is_kind(&list.items[j], &list.items[i]);
		if (!known)
			capture_cache(&list.items[i], into);
	}
}

/* Its cards in the order in which a recipe counts them are the reader's to
 * choose from: which carries the VLAN isn't known here. */
static void capture_drivers(const struct mkv_env *env, struct mkv_buf *into)
{
	auto_free char *disk = mkv_driver_of_root(env);
	if (disk)
		mkv_buf_printf(into, "disk-driver: %s\n", disk);
	mkv_buf_str(into, "# nic-driver: of the card that will carry the VLAN "
			  "(ls -l /sys/class/net/*/device/driver)\n");
}

static int capture_memory(const struct mkv_env *env, struct mkv_buf *into,
			  struct mkv_error *err)
{
	auto_free char *info = mkv_env_read(env, "/proc/meminfo");
	unsigned long long kib = 0;
	struct mkv_cpuset nodes = {0};
	if (!info || sscanf(info, "MemTotal: %16llu kB", &kib) != 1)
		return mkv_fail(err, MKV_HOST_CANNOT, ENODATA,
				"/proc/meminfo can't be read");
	/* The kernel shows what it didn't keep: up to the next 128 MiB of a
	 * small machine, or GiB of a large one. */
	uint64_t step = kib > 4 << 20 ? UINT64_C(1) << 30 : UINT64_C(1) << 27;
	uint64_t bytes = ((uint64_t)kib * 1024 + step - 1) / step * step;
	mkv_buf_str(into, "memory: {size: ");
	add_size(into, bytes);
	if (mkv_env_read_cpus(env, &nodes, "/sys/devices/system/node/online"))
		mkv_buf_printf(into, ", numa-nodes: %u",
			       mkv_cpuset_count(&nodes));
	mkv_buf_str(into, "}\n");
	return 0;
}

/* Those that a recipe may name. */
static void capture_clocksource(const struct mkv_env *env, struct mkv_buf *into)
{
	static const char *const known[] = {
		"tsc",	   "kvm-clock", "hpet",
		"acpi_pm", "xen",	"hyperv_clocksource_tsc_page",
	};
	auto_free char *source = mkv_env_read(
		env, "/sys/devices/system/clocksource/clocksource0/"
		     "current_clocksource");
	for (size_t i = 0; source && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(source, known[i]) == 0)
			mkv_buf_printf(into, "clocksources: [%s]\n", source);
}

/* It belongs to this machine alone, not to the hardware that it is. */
static void capture_tpm(const struct mkv_env *env, struct mkv_buf *into)
{
	struct mkv_tpm_key key;
	struct mkv_error err;
	char hex[MKV_SHA256_HEX_SIZE];
	if (mkv_tpm_ask_key(env, &key, &err) < 0)
		return;
	mkv_sha256_hex(&key.id, hex);
	mkv_buf_printf(into,
		       "# For this machine's place among the hosts:\n"
		       "# tpm-key: %s\n",
		       hex);
}

int mkv_capture(const struct mkv_env *env, struct mkv_buf *into,
		struct mkv_error *err)
{
	struct mkv_cpu_identity id;
	if (!env->cpuid || env->cpuid->count == 0 ||
	    !mkv_cpu_identify(&env->cpuid->cpus[0], &id))
		return mkv_fail(err, MKV_HOST_CANNOT, ENODATA,
				"CPUID can't be read here");
	mkv_buf_printf(into,
		       "# Written by mkvbench-verify --capture from the "
		       "machine itself, %zu CPUs online.\nname: ",
		       env->cpuid->count);
	add_name(into, id.brand);
	mkv_buf_char(into, '\n');
	int rc = capture_cpu(env, &id, into, err);
	if (rc < 0)
		return rc;
	capture_caches(env, into);
	rc = capture_memory(env, into, err);
	if (rc < 0)
		return rc;
	capture_clocksource(env, into);
	capture_drivers(env, into);
	capture_tpm(env, into);
	return mkv_buf_check(into, err);
}

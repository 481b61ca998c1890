/* SPDX-License-Identifier: MIT */
#include "verify/capture.h"

#include <ctype.h>
#include <string.h>

#include "verify/sysfs.h"
#include "verify/tpm.h"

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

static void capture_topology(const struct mkv_env *env, struct mkv_buf *into)
{
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	const char *leaf = NULL;
	struct mkv_error err;
	if (mkv_cpuid_topology(env->cpuid, &cores, &packages, &leaf, &err) <
		    0 ||
	    cores.count == 0 || packages.count == 0 ||
	    cores.count % packages.count != 0 ||
	    env->cpuid->count % cores.count != 0) {
		mkv_buf_str(into, "  # sockets, cores, threads: not the same "
				  "everywhere, or not told\n");
		return;
	}
	mkv_buf_printf(into, "  sockets: %zu\n  cores: %zu\n  threads: %zu\n",
		       packages.count, cores.count / packages.count,
		       env->cpuid->count / cores.count);
}

static void capture_cpu(const struct mkv_env *env,
			const struct mkv_cpu_identity *id, struct mkv_buf *into)
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
	capture_topology(env, into);
	if (id->hypervisor) {
		mkv_buf_str(into, "hypervisor: ");
		add_quoted(into, id->hypervisor_signature);
		mkv_buf_char(into, '\n');
	}
}

static void capture_caches(const struct mkv_env *env, struct mkv_buf *into)
{
	auto_cache_list struct mkv_cache_list list = {0};
	const char *leaf = NULL;
	struct mkv_error err;
	if (mkv_cpuid_caches(env->cpuid, &list, &leaf, &err) < 0) {
		mkv_buf_str(into, "# caches: CPUID tells none\n");
		return;
	}
	if (!list.sharing_known) {
		mkv_buf_str(into, "# caches: CPUID doesn't tell who shares "
				  "them\n");
		return;
	}
	mkv_buf_str(into, "caches:\n");
	for (size_t i = 0; i < list.count; i++) {
		const struct mkv_cache_instance *c = &list.items[i];
		bool known = false;
		for (size_t j = 0; j < i; j++)
			known = known ||
				(list.items[j].level == c->level &&
				 list.items[j].type == c->type &&
				 list.items[j].size_bytes == c->size_bytes &&
				 list.items[j].ways == c->ways &&
				 list.items[j].line_bytes == c->line_bytes &&
				 mkv_cpuset_count(&list.items[j].cpus) ==
					 mkv_cpuset_count(&c->cpus));
		if (known)
			continue;
		mkv_buf_printf(into,
			       "  - {level: %u, type: %s, size: ", c->level,
			       mkv_cache_type_name(c->type));
		add_size(into, c->size_bytes);
		if (c->ways)
			mkv_buf_printf(into, ", ways: %u", c->ways);
		mkv_buf_printf(into, ", line: %u, shared-by: %u}\n",
			       c->line_bytes, mkv_cpuset_count(&c->cpus));
	}
}

static void capture_memory(const struct mkv_env *env, struct mkv_buf *into)
{
	auto_free char *info = mkv_env_read(env, "/proc/meminfo");
	unsigned long long kib = 0;
	struct mkv_cpuset nodes = {0};
	if (!info || sscanf(info, "MemTotal: %16llu kB", &kib) != 1) {
		mkv_buf_str(into, "# memory: can't be read\n");
		return;
	}
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
	mkv_buf_printf(into, "# For this machine's place among the hosts:\n"
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
	capture_cpu(env, &id, into);
	capture_caches(env, into);
	capture_memory(env, into);
	auto_free char *source = mkv_env_read(
		env, "/sys/devices/system/clocksource/clocksource0/"
		     "current_clocksource");
	if (source)
		mkv_buf_printf(into, "clocksources: [%s]\n", source);
	capture_tpm(env, into);
	return mkv_buf_check(into, err);
}

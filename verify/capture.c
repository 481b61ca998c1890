/* SPDX-License-Identifier: MIT */
#include "verify/capture.h"

#include <ctype.h>
#include <string.h>

#include "lib/hardware_limits.h"
#include "verify/probe/drivers.h"
#include "verify/probe/proc.h"
#include "verify/probe/sysfs.h"
#include "verify/probe/tpm.h"

/* Features that decide which code paths libraries and databases take. */
static const char *const features[] = {
	"sse4_2", "avx",  "avx2",    "fma",    "bmi2",	  "aes",
	"sha_ni", "vaes", "avx512f", "rdtscp", "topoext",
};

/* Whether YAML would take the name for a number, a truth value or nothing. */
static bool is_like_a_value(const char *name)
{
	return (isdigit((unsigned char)*name) &&
		strspn(name, "0123456789abcdefox-") == strlen(name)) ||
	       strcmp(name, "true") == 0 || strcmp(name, "false") == 0 ||
	       strcmp(name, "null") == 0;
}

/* "AMD Ryzen 5 PRO 3600 6-Core Processor" -> "amd-ryzen-5-pro-3600-6-core-..."
 */
static void add_name(struct mkv_buf *into, const char *brand)
{
	char bytes[MKV_CPUTEXT_BYTES_MAX], name[sizeof(bytes) + 1];
	size_t count = mkv_cputext_read(brand, bytes, sizeof(bytes)), used = 0;
	bool dash = false;
	for (size_t i = 0; i < count && i < sizeof(bytes); i++) {
		if (!isalnum((unsigned char)bytes[i])) {
			dash = used > 0;
			continue;
		}
		if (dash)
			name[used++] = '-';
		name[used++] = (char)tolower((unsigned char)bytes[i]);
		dash = false;
	}
	name[used] = '\0';
	mkv_buf_printf(into, "name: %s%s\n",
		       is_like_a_value(name) ? "cpu-" : "",
		       used ? name : "unnamed");
}

/* A YAML scalar of printable characters: in single quotes where a backslash is
 * one, so that escapes read as docs/RECIPES.md writes them. */
static void add_quoted(struct mkv_buf *into, const char *text)
{
	char quote = strpbrk(text, "\"\\") ? '\'' : '"';
	mkv_buf_char(into, quote);
	for (const char *at = text; *at; at++) {
		if (*at == quote)
			mkv_buf_char(into, quote);
		mkv_buf_char(into, *at);
	}
	mkv_buf_char(into, quote);
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

static int cannot_say(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_HOST_CANNOT, ENOTSUP,
			"%s: a recipe can't say that", what);
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
	int64_t each = mkv_cpu_cores_each(&cores, &packages);
	int64_t threads = mkv_cpu_sets_even(&cores);
	if (each < 1 || threads < 1)
		return cannot_say(err, "its cores, or its sockets, aren't all "
				       "alike (a hybrid processor?)");
	if (packages.count > MKV_CPU_SOCKETS_MAX || each > MKV_CPU_CORES_MAX ||
	    threads > MKV_CPU_THREADS_MAX)
		return cannot_say(err, "it has too many sockets, cores of a "
				       "socket or threads of a core");
	mkv_buf_printf(into, "  sockets: %zu\n  cores: %lld\n  threads: %lld\n",
		       packages.count, (long long)each, (long long)threads);
	return 0;
}

/* What the verifier asks of every CPU must be one answer. Of the stepping there
 * may be several, as any is right where none is promised. */
static int compare_cpus(const struct mkv_env *env,
			const struct mkv_cpu_identity *first,
			bool *ret_stepping, struct mkv_error *err)
{
	*ret_stepping = true;
	for (size_t i = 1; i < env->cpuid->count; i++) {
		struct mkv_cpu_identity id;
		if (!mkv_cpu_identify(&env->cpuid->cpus[i], &id))
			return mkv_fail(err, MKV_HOST_CANNOT, ENODATA,
					"CPU %u shows no identity",
					env->cpuid->cpus[i].cpu);
		if (strcmp(id.vendor, first->vendor) != 0 ||
		    strcmp(id.brand, first->brand) != 0 ||
		    id.family != first->family || id.model != first->model)
			return cannot_say(err, "its CPUs aren't all of one "
					       "model");
		if (id.hypervisor != first->hypervisor ||
		    strcmp(id.hypervisor_signature,
			   first->hypervisor_signature) != 0)
			return cannot_say(err, "its CPUs don't all show the "
					       "same hypervisor");
		*ret_stepping = *ret_stepping && id.stepping == first->stepping;
	}
	return 0;
}

static void capture_features(const struct mkv_env *env, struct mkv_buf *into)
{
	bool any = false;
	mkv_buf_str(into, "  features: [");
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
}

static int capture_cpu(const struct mkv_env *env,
		       const struct mkv_cpu_identity *id, struct mkv_buf *into,
		       struct mkv_error *err)
{
	bool stepping;
	int rc = compare_cpus(env, id, &stepping, err);
	if (rc < 0)
		return rc;
	auto_free char *interface = mkv_env_read(env, "/sys/hypervisor/type");
	if (interface && !id->hypervisor)
		return cannot_say(err, "CPUID hides the hypervisor that "
				       "/sys/hypervisor/type names");
	mkv_buf_str(into, "cpu:\n  vendor: ");
	add_quoted(into, id->vendor);
	mkv_buf_str(into, "\n  brand: ");
	add_quoted(into, id->brand);
	mkv_buf_printf(into, "\n  family: %u\n  model: %u\n", id->family,
		       id->model);
	if (stepping)
		mkv_buf_printf(into, "  stepping: %u\n", id->stepping);
	else
		mkv_buf_str(into, "  # stepping: none promised: the CPUs' "
				  "differ\n");
	capture_features(env, into);
	rc = capture_topology(env, into, err);
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

/* NULL when a recipe and its contract can say this cache, else why they can't.
 */
static const char *unsayable_cache(const struct mkv_env *env,
				   const struct mkv_cache_instance *cache,
				   const struct mkv_cpu_sets *packages)
{
	unsigned sharers = mkv_cpuset_count(&cache->cpus);
	if (cache->level < 1 || cache->level > MKV_CACHE_LEVEL_MAX ||
	    cache->size_bytes < MKV_CACHE_SIZE_MIN ||
	    cache->size_bytes > MKV_CACHE_SIZE_MAX ||
	    cache->ways > MKV_CACHE_WAYS_MAX ||
	    cache->line_bytes < MKV_CACHE_LINE_MIN ||
	    cache->line_bytes > MKV_CACHE_LINE_MAX)
		return "one has a level, size, associativity or line that a "
		       "recipe can't say";
	if (sharers > MKV_CACHE_SHARED_BY_MAX ||
	    env->cpuid->count % sharers != 0)
		return "not every CPU has one of each kind, which a recipe "
		       "can't say";
	/* A contract has at most a socket's threads share one. */
	for (size_t i = 0; i < packages->count; i++)
		if (sharers > mkv_cpuset_count(&packages->items[i]))
			return "sockets share one, which a recipe can't say";
	return NULL;
}

/* A level's is unified, or there are some for data and instructions. */
static bool is_mixed(const struct mkv_cache_instance *a,
		     const struct mkv_cache_instance *b)
{
	return a->level == b->level && a->type != b->type &&
	       (a->type == MKV_CACHE_UNIFIED || b->type == MKV_CACHE_UNIFIED);
}

/* The same of two of them. */
static const char *unsayable_pair(const struct mkv_cache_instance *a,
				  const struct mkv_cache_instance *b)
{
	if (is_kind(a, b) && !is_alike(a, b))
		return "those of a level aren't all alike, which a recipe "
		       "can't say";
	if (is_mixed(a, b))
		return "a level has both a unified one and others, which a "
		       "recipe can't say";
	return NULL;
}

/* The same of all of them. */
static const char *unsayable(const struct mkv_env *env,
			     const struct mkv_cache_list *list,
			     const struct mkv_cpu_sets *packages)
{
	const char *why = list->count ? NULL : "CPUID tells none";
	if (!list->sharing_known)
		return "CPUID doesn't tell who shares them";
	/* By level and type in order: neighbours stand for all. */
	for (size_t i = 1; !why && i < list->count; i++)
		why = unsayable_pair(&list->items[i - 1], &list->items[i]);
	for (size_t i = 0; !why && i < list->count; i++)
		why = unsayable_cache(env, &list->items[i], packages);
	return why;
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
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	const char *leaf = NULL;
	struct mkv_error err;
	const char *why = mkv_cpuid_topology(env->cpuid, &cores, &packages,
					     &leaf, &err) < 0 ||
					  mkv_cpuid_caches(env->cpuid, &list,
							   &leaf, &err) < 0
				  ? "CPUID tells none"
				  : unsayable(env, &list, &packages);
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

/* What a recipe takes for a driver's name. */
static bool is_driver(const char *name)
{
	return strlen(name) <= 64 && strchr("-_", *name) == NULL &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") ==
		       strlen(name);
}

/* Its cards in the order in which a recipe counts them are the reader's to
 * choose from: which carries the VLAN isn't known here. */
static void capture_drivers(const struct mkv_env *env, struct mkv_buf *into)
{
	auto_free char *disk = mkv_driver_of_root(env);
	char text[MKV_CPUTEXT_SIZE];
	if (disk && is_driver(disk)) {
		mkv_buf_printf(into, "disk-driver: \"%s\"\n", disk);
	} else if (disk) {
		mkv_cputext_write(disk, strlen(disk), text);
		mkv_buf_printf(into,
			       "# disk-driver: none promised: a recipe can't "
			       "say '%s'\n",
			       text);
	}
	mkv_buf_str(into, "# nic-driver: of the card that will carry the VLAN "
			  "(ls -l /sys/class/net/*/device/driver)\n");
}

static uint64_t round_up(uint64_t bytes, uint64_t step)
{
	return (bytes + step - 1) / step * step;
}

/* The kernel shows what it didn't keep: up to the next 128 MiB of a small
 * machine, or GiB of a large one, unless the kernel never keeps that much. */
static uint64_t installed(uint64_t total)
{
	uint64_t bytes = round_up(total, UINT64_C(1) << 30);
	if (total <= UINT64_C(4) << 30 ||
	    !mkv_proc_memory_fits((int64_t)bytes, (int64_t)total))
		bytes = round_up(total, UINT64_C(1) << 27);
	return bytes;
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
	uint64_t total = (uint64_t)kib * 1024; /* of 16 digits: fits */
	uint64_t bytes = installed(total);
	if (total == 0 || bytes > MKV_MEMORY_SIZE_MAX)
		return cannot_say(err,
				  "/proc/meminfo tells of no memory, or of "
				  "more than 64TiB");
	mkv_buf_str(into, "memory: {size: ");
	add_size(into, bytes);
	if (mkv_env_read_cpus(env, &nodes, "/sys/devices/system/node/online")) {
		unsigned count = mkv_cpuset_count(&nodes);
		if (count == 0 || count > MKV_NUMA_NODES_MAX)
			return cannot_say(err, "it has no NUMA node, or more "
					       "than 1024");
		mkv_buf_printf(into, ", numa-nodes: %u", count);
	}
	mkv_buf_str(into, "}\n");
	return 0;
}

/* Those that a recipe may name. */
static int capture_clocksource(const struct mkv_env *env, struct mkv_buf *into,
			       struct mkv_error *err)
{
	static const char *const known[] = {
		"tsc",	   "kvm-clock", "hpet",
		"acpi_pm", "xen",	"hyperv_clocksource_tsc_page",
	};
	auto_free char *source = mkv_env_read(
		env, "/sys/devices/system/clocksource/clocksource0/"
		     "current_clocksource");
	if (!source)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(source, known[i]) == 0) {
			mkv_buf_printf(into, "clocksources: [%s]\n", source);
			return 0;
		}
	char text[MKV_CPUTEXT_SIZE], what[MKV_CPUTEXT_SIZE + 64];
	mkv_cputext_write(source, strlen(source), text);
	(void)snprintf(what, sizeof(what), "the kernel's clock source is '%s'",
		       text);
	return cannot_say(err, what);
}

/* It belongs to this machine alone, not to the hardware that it is. */
static void capture_tpm(const struct mkv_env *env, struct mkv_buf *into)
{
	struct mkv_tpm_key key;
	struct mkv_error err;
	char hex[MKV_SHA256_HEX_SIZE];
	if (mkv_tpm_read_key(env, &key, &err) < 0)
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
		       "machine itself, %zu CPUs online.\n",
		       env->cpuid->count);
	add_name(into, id.brand);
	int rc = capture_cpu(env, &id, into, err);
	if (rc < 0)
		return rc;
	capture_caches(env, into);
	rc = capture_memory(env, into, err);
	if (rc < 0)
		return rc;
	rc = capture_clocksource(env, into, err);
	if (rc < 0)
		return rc;
	capture_drivers(env, into);
	capture_tpm(env, into);
	return mkv_buf_check(into, err);
}

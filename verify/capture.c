/* SPDX-License-Identifier: MIT */
#include "verify/capture_internal.h"

#include <ctype.h>
#include <string.h>

#include "lib/hardware_limits.h"
#include "verify/probe/drivers.h"
#include "verify/probe/proc.h"
#include "verify/probe/sysfs.h"
#include "verify/probe/tpm.h"

/* CPU features by which libraries and databases choose their code paths. */
static const char *const features[] = {
	"sse4_2", "avx",  "avx2",    "fma",    "bmi2",	  "aes",
	"sha_ni", "vaes", "avx512f", "rdtscp", "topoext",
};

/* True when YAML would read the name as a number, a Boolean or null. */
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

/* Writes a YAML scalar of printable characters, in single quotes if it has a
 * backslash, so that its escapes are those of docs/RECIPES.md. */
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

static int fail_not_describable(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_HOST_CANNOT, ENOTSUP,
			"a recipe can't describe this machine: %s", what);
}

/* A recipe has one number for the cores of a socket and for the threads of a
 * core, so all must be equal. */
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
		return fail_not_describable(
			err, "its cores or its sockets differ (a hybrid "
			     "processor?)");
	if (packages.count > MKV_CPU_SOCKETS_MAX || each > MKV_CPU_CORES_MAX ||
	    threads > MKV_CPU_THREADS_MAX)
		return fail_not_describable(
			err, "it has too many sockets, cores per socket or "
			     "threads per core");
	mkv_buf_printf(into, "  sockets: %zu\n  cores: %lld\n  threads: %lld\n",
		       packages.count, (long long)each, (long long)threads);
	return 0;
}

/* Every value that the verifier reads from each CPU must be equal on all. Only
 * steppings may differ, because a recipe need not promise one. */
static int compare_cpus(const struct mkv_env *env,
			const struct mkv_cpu_identity *first,
			bool *ret_stepping, struct mkv_error *err)
{
	*ret_stepping = true;
	for (size_t i = 1; i < env->cpuid->count; i++) {
		struct mkv_cpu_identity id;
		if (!mkv_cpu_identify(&env->cpuid->cpus[i], &id))
			return mkv_fail(err, MKV_HOST_CANNOT, ENODATA,
					"CPU %u has no CPUID leaf 0 or 1",
					env->cpuid->cpus[i].cpu);
		if (strcmp(id.vendor, first->vendor) != 0 ||
		    strcmp(id.brand, first->brand) != 0 ||
		    id.family != first->family || id.model != first->model)
			return fail_not_describable(
				err, "its CPUs are of different models");
		if (id.hypervisor != first->hypervisor ||
		    strcmp(id.hypervisor_signature,
			   first->hypervisor_signature) != 0)
			return fail_not_describable(
				err, "its CPUs show different hypervisors");
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
		return fail_not_describable(err,
					    "CPUID hides the hypervisor that "
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
		mkv_buf_str(into, "  # stepping: not promised: it differs "
				  "between CPUs\n");
	capture_features(env, into);
	rc = capture_topology(env, into, err);
	if (rc < 0)
		return rc;
	if (id->hypervisor) {
		mkv_buf_str(into, "hypervisor: ");
		add_quoted(into, id->hypervisor_signature);
		mkv_buf_char(into, '\n');
	}
	return 0;
}

/* A recipe accepts only such a name of a driver. */
static bool is_driver(const char *name)
{
	return strlen(name) <= 64 && strchr("-_", *name) == NULL &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") ==
		       strlen(name);
}

/* The driver of the NIC is left to the reader: this machine doesn't show which
 * card will carry the VLAN. */
static void capture_drivers(const struct mkv_env *env, struct mkv_buf *into)
{
	auto_free char *disk = mkv_driver_of_root(env);
	char text[MKV_CPUTEXT_SIZE];
	if (disk && is_driver(disk)) {
		mkv_buf_printf(into, "disk-driver: \"%s\"\n", disk);
	} else if (disk) {
		mkv_cputext_write(disk, strlen(disk), text);
		mkv_buf_printf(into,
			       "# disk-driver: not promised: no recipe can "
			       "name '%s'\n",
			       text);
	}
	mkv_buf_str(into, "# nic-driver: of the card that will carry the VLAN "
			  "(ls -l /sys/class/net/*/device/driver)\n");
}

static uint64_t round_up(uint64_t bytes, uint64_t step)
{
	return (bytes + step - 1) / step * step;
}

/* Estimates the installed memory: the kernel shows only what it has not
 * reserved. Rounds up to 128 MiB on a small machine, to 1 GiB on a large one
 * unless no kernel would reserve that much. */
static uint64_t installed_bytes(uint64_t total)
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
	uint64_t total = (uint64_t)kib * 1024; /* 16 digits fit */
	uint64_t bytes = installed_bytes(total);
	if (total == 0 || bytes > MKV_MEMORY_SIZE_MAX)
		return fail_not_describable(
			err, "its memory is 0 or more than 64TiB, by "
			     "/proc/meminfo");
	mkv_buf_str(into, "memory: {size: ");
	mkv_capture_size(into, bytes);
	if (mkv_env_read_cpus(env, &nodes, "/sys/devices/system/node/online")) {
		unsigned count = mkv_cpuset_count(&nodes);
		if (count == 0 || count > MKV_NUMA_NODES_MAX)
			return fail_not_describable(
				err, "it has no NUMA node or more than 1024");
		mkv_buf_printf(into, ", numa-nodes: %u", count);
	}
	mkv_buf_str(into, "}\n");
	return 0;
}

/* A recipe may name only these. */
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
	return fail_not_describable(err, what);
}

/* The key belongs to this machine, not to all machines of its hardware. */
static void capture_tpm(const struct mkv_env *env, struct mkv_buf *into)
{
	struct mkv_tpm_key key;
	struct mkv_error err;
	char hex[MKV_SHA256_HEX_SIZE];
	if (mkv_tpm_read_key(env, &key, &err) < 0)
		return;
	mkv_sha256_hex(&key.id, hex);
	mkv_buf_printf(into,
		       "# For the host of this machine in the recipe:\n"
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
				"CPUID can't be read");
	mkv_buf_printf(into,
		       "# Written by mkvbench-verify --capture from the "
		       "machine itself, %zu CPUs online.\n",
		       env->cpuid->count);
	add_name(into, id.brand);
	int rc = capture_cpu(env, &id, into, err);
	if (rc < 0)
		return rc;
	mkv_capture_caches(env, into);
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

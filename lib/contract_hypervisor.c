/* SPDX-License-Identifier: MIT */
/* Reads a guest's domain from the contract. */
#include <string.h>

#include "lib/contract_internal.h"

static uint64_t read_bytes(struct mkv_json_reader *r, const json_t *object,
			   const char *key, bool required)
{
	return (uint64_t)mkv_json_integer(r, object, key, 0, INT64_MAX,
					  required, 0);
}

static unsigned read_count(struct mkv_json_reader *r, const json_t *object,
			   const char *key)
{
	return (unsigned)mkv_json_integer(r, object, key, 1,
					  MKV_CONTRACT_CPUS_MAX, true, 0);
}

static void read_cpu(struct mkv_json_reader *r, const json_t *object,
		     struct mkv_contract_hypervisor *into)
{
	static const char *const modes[] = {"host-passthrough", "host-model",
					    "custom", NULL};
	static const char *const caches[] = {"passthrough", "emulate",
					     "disable", NULL};
	const int64_t last = MKV_CONTRACT_CPUS_MAX - 1;
	mkv_json_only(r, object,
		      (const char *const[]){"mode", "model", "features",
					    "migratable", "sockets", "dies",
					    "cores", "threads", "caches",
					    "pins", "others", NULL});
	into->cpu.mode = mkv_contract_read_word(r, object, "mode", modes);
	into->cpu.model = mkv_json_string(r, object, "model", false);
	into->cpu.features = mkv_contract_read_strings(r, object, "features");
	into->cpu.migratable = mkv_json_boolean(r, object, "migratable");
	into->cpu.sockets = read_count(r, object, "sockets");
	into->cpu.dies = read_count(r, object, "dies");
	into->cpu.cores = read_count(r, object, "cores");
	into->cpu.threads = read_count(r, object, "threads");
	into->cpu.caches = mkv_contract_read_word(r, object, "caches", caches);
	into->cpu.pins = mkv_contract_read_numbers(r, object, "pins", last);
	into->cpu.others = mkv_contract_read_numbers(r, object, "others", last);
	/* No overflow: each factor is at most MKV_CONTRACT_CPUS_MAX, and the
	 * product has at most 49 bits. */
	uint64_t cpus = (uint64_t)into->cpu.sockets * into->cpu.dies *
			into->cpu.cores * into->cpu.threads;
	if (cpus > MKV_CONTRACT_CPUS_MAX)
		mkv_json_mistake(r, "sockets",
				 "the topology has more than %d CPUs",
				 MKV_CONTRACT_CPUS_MAX);
	else if (into->cpu.pins.count && into->cpu.pins.count != cpus)
		mkv_json_mistake(r, "pins", "%zu pins for %llu CPUs",
				 into->cpu.pins.count,
				 (unsigned long long)cpus);
}

static void read_disk(struct mkv_json_reader *r, const json_t *object,
		      struct mkv_contract_hypervisor *into)
{
	mkv_json_only(r, object,
		      (const char *const[]){"file", "bus", "cache", "io",
					    "size", "iothreads", NULL});
	into->disk.file = mkv_json_string(r, object, "file", true);
	into->disk.bus = mkv_json_string(r, object, "bus", true);
	into->disk.cache = mkv_json_string(r, object, "cache", true);
	into->disk.io = mkv_json_string(r, object, "io", true);
	into->disk.size_bytes = read_bytes(r, object, "size", true);
	into->disk.iothreads =
		mkv_contract_read_unsigned(r, object, "iothreads", 64, true);
	if (into->disk.file && into->disk.file[0] != '/')
		mkv_json_mistake(r, "file", "not an absolute path");
}

static void read_nic(struct mkv_json_reader *r, const json_t *object,
		     struct mkv_contract_hypervisor *into)
{
	mkv_json_only(r, object,
		      (const char *const[]){"model", "network", "bridge",
					    "queues", NULL});
	into->nic.model = mkv_json_string(r, object, "model", true);
	into->nic.network = mkv_contract_read_name(r, object, "network", true);
	into->nic.bridge = mkv_contract_read_name(r, object, "bridge", true);
	into->nic.queues = (unsigned)mkv_json_integer(r, object, "queues", 1,
						      256, true, 1);
}

static void read_memory(struct mkv_json_reader *r, const json_t *object,
			struct mkv_contract_hypervisor *into)
{
	mkv_json_only(r, object,
		      (const char *const[]){"bytes", "huge_page_bytes", NULL});
	into->memory_bytes = read_bytes(r, object, "bytes", true);
	into->huge_page_bytes = read_bytes(r, object, "huge_page_bytes", true);
}

void mkv_contract_read_hypervisor(struct mkv_json_reader *r, const json_t *host,
				  struct mkv_contract_hypervisor *into)
{
	static const struct {
		const char *key;
		void (*read)(struct mkv_json_reader *r, const json_t *object,
			     struct mkv_contract_hypervisor *into);
	} parts[] = {{"cpu", read_cpu},
		     {"memory", read_memory},
		     {"disk", read_disk},
		     {"nic", read_nic}};
	json_t *object =
		mkv_json_member(r, host, "hypervisor", JSON_OBJECT, false);
	if (!object)
		return;
	into->promised = true;
	size_t mark = mkv_json_enter(r, "hypervisor");
	mkv_json_only(r, object,
		      (const char *const[]){"domain", "uuid", "firmware", "cpu",
					    "memory", "disk", "nic", "timers",
					    NULL});
	into->domain = mkv_contract_read_name(r, object, "domain", true);
	into->uuid = mkv_json_string(r, object, "uuid", true);
	into->firmware = mkv_contract_read_word(
		r, object, "firmware",
		(const char *const[]){"uefi", "bios", NULL});
	into->timers = mkv_contract_read_strings(r, object, "timers");
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		json_t *part = mkv_json_member(r, object, parts[i].key,
					       JSON_OBJECT, true);
		size_t inner = mkv_json_enter(r, parts[i].key);
		if (part)
			parts[i].read(r, part, into);
		mkv_json_leave(r, inner);
	}
	mkv_json_leave(r, mark);
}

void mkv_contract_free_hypervisor(struct mkv_contract_hypervisor *hypervisor)
{
	free(hypervisor->cpu.features.items);
	free(hypervisor->cpu.pins.items);
	free(hypervisor->cpu.others.items);
	free(hypervisor->timers.items);
}

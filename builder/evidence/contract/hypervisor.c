/* SPDX-License-Identifier: MIT */
/* The libvirt domain of a guest: what the recipe states, and what follows from
 * the recipe and the hardware. builder/format/libvirt writes it as XML, and the
 * verifier of the hypervisor host compares the live domain with it. */
#include <string.h>

#include "builder/evidence/contract/contract_internal.h"
#include "lib/contract.h"

static bool is_equal(const char *value, const char *expected)
{
	return value && strcmp(value, expected) == 0;
}

static unsigned count_cpus(const struct mkv_hypervisor *hv)
{
	return hv->sockets * hv->cores * hv->threads;
}

/* The host's CPU for a guest's CPU. Linux numbers the first threads of a host's
 * cores before the second ones, while siblings of a guest have adjacent
 * numbers: this mapping puts siblings of the guest on siblings of the host. */
static unsigned host_cpu(const struct mkv_recipe *recipe, unsigned vcpu)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	unsigned machine_cores =
		recipe->hardware.sockets * recipe->hardware.cores;
	unsigned core = vcpu / hv->threads;
	unsigned thread = vcpu % hv->threads;
	return core + thread * machine_cores;
}

/* QEMU's other threads run on the host's CPUs that no guest CPU is pinned to.
 */
static void put_pins(json_t *cpu, const struct mkv_recipe *recipe)
{
	const struct mkv_hardware *hw = &recipe->hardware;
	unsigned machine = hw->sockets * hw->cores * hw->threads;
	unsigned count = count_cpus(&recipe->hypervisor);
	json_t *pins = json_array(), *others = json_array();
	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(pins,
					    json_integer(host_cpu(recipe, i)));
	for (unsigned at = 0; at < machine; at++) {
		bool taken = false;
		for (unsigned i = 0; i < count && !taken; i++)
			taken = host_cpu(recipe, i) == at;
		if (!taken)
			(void)json_array_append_new(others, json_integer(at));
	}
	put(cpu, "pins", pins);
	put(cpu, "others", others);
}

/* The number of dies per socket with which passed-through caches keep their
 * sharers. A guest's APIC ids have gaps only at levels of its topology, and the
 * sharers of a cache are a range of APIC ids, rounded up to a power of two
 * (AMD64 APM volume 3, E.4.15). Without dies, a last-level cache of three
 * cores, as in the Ryzen 5 3600, would split six cores into four and two. */
static unsigned count_dies(const struct mkv_recipe *recipe)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	const struct mkv_hardware *hardware = &recipe->hardware;
	unsigned shared_by = 0, all = hv->cores * hv->threads;
	if (!is_equal(hv->caches, "passthrough"))
		return 1;
	for (size_t i = 0; i < hardware->n_caches; i++)
		if (hardware->caches[i].level == 3)
			shared_by = hardware->caches[i].shared_by;
	bool parts = shared_by && shared_by < all && all % shared_by == 0 &&
		     shared_by % hv->threads == 0;
	bool power_of_two = (shared_by & (shared_by - 1)) == 0;
	return parts && !power_of_two ? all / shared_by : 1;
}

static bool has_clocksource(const struct mkv_hypervisor *hv, const char *name)
{
	for (size_t i = 0; i < hv->clocksources.count; i++)
		if (is_equal(hv->clocksources.items[i], name))
			return true;
	return false;
}

static json_t *cpu_part(const struct mkv_recipe *recipe)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	unsigned dies = count_dies(recipe);
	json_t *part = json_object();
	put_string(part, "mode", hv->cpu_mode);
	if (is_equal(hv->cpu_mode, "custom"))
		put_string(part, "model", hv->cpu_model);
	/* libvirt hides the invariant TSC of a CPU that can migrate. */
	if (is_equal(hv->cpu_mode, "host-passthrough"))
		put(part, "migratable",
		    json_boolean(!has_clocksource(hv, "tsc")));
	put(part, "features", strings(&hv->features));
	put_integer(part, "sockets", hv->sockets);
	put_integer(part, "dies", dies);
	put_integer(part, "cores", hv->cores / dies);
	put_integer(part, "threads", hv->threads);
	put_string(part, "caches", hv->caches);
	if (is_equal(hv->pin, "one-to-one"))
		put_pins(part, recipe);
	return part;
}

static json_t *disk_part(const struct mkv_recipe *recipe,
			 const struct mkv_host *host)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	json_t *part = json_object();
	put(part, "file",
	    json_sprintf("%s/%s/%s.raw", MKV_LIBVIRT_DISKS, recipe->name,
			 host->name));
	put_string(part, "bus", hv->disk_bus);
	put_string(part, "cache", hv->disk_cache);
	put_string(part, "io", hv->disk_io);
	put_integer(part, "size", (int64_t)hv->disk_bytes);
	put_integer(part, "iothreads", hv->iothreads);
	return part;
}

static json_t *nic_part(const struct mkv_recipe *recipe)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	json_t *part = json_object();
	put_string(part, "model", hv->nic_model);
	put(part, "network", json_sprintf("mkvbench-%s", recipe->name));
	put_string(part, "bridge", hv->bridge);
	put_integer(part, "queues", hv->nic_queues);
	return part;
}

/* A timer exists only where the contract names its clocksource. The HPET costs
 * exits; without kvmclock the kernel uses the TSC, if it is invariant. */
static json_t *timers_part(const struct mkv_hypervisor *hv)
{
	json_t *part = json_array();
	if (has_clocksource(hv, "hpet"))
		(void)json_array_append_new(part, json_string("hpet"));
	if (has_clocksource(hv, "kvm-clock"))
		(void)json_array_append_new(part, json_string("kvmclock"));
	return part;
}

json_t *mkv_contract_hypervisor(const struct mkv_recipe *recipe,
				const struct mkv_host *host,
				const uint8_t uuid[static 16])
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	char id[37];
	mkv_uuid_text(uuid, id);
	json_t *part = json_object(), *memory = json_object();
	put(part, "domain", json_sprintf("%s-%s", recipe->name, host->name));
	put_string(part, "uuid", id);
	put_string(part, "firmware",
		   recipe->images[host->image].uefi ? "uefi" : "bios");
	put(part, "cpu", cpu_part(recipe));
	put_integer(memory, "bytes", (int64_t)hv->memory_bytes);
	put_integer(memory, "huge_page_bytes", (int64_t)hv->huge_page_bytes);
	put(part, "memory", memory);
	put(part, "disk", disk_part(recipe, host));
	put(part, "nic", nic_part(recipe));
	put(part, "timers", timers_part(hv));
	return part;
}

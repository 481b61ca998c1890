/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/core/host/models.h"
#include "builder/evidence/contract/contract_internal.h"

/* CPUID 0x40000000 under KVM (Linux, Documentation/virt/kvm/x86/cpuid.rst),
 * without trailing NULs. */
#define KVM_SIGNATURE "KVMKVMKVM"

static json_t *identity_part(const struct mkv_hardware *hardware)
{
	json_t *cpu = json_object();
	put_string(cpu, "vendor", hardware->cpu_vendor);
	put_integer(cpu, "family", hardware->cpu_family);
	put_integer(cpu, "model", hardware->cpu_model);
	if (hardware->has_cpu_stepping)
		put_integer(cpu, "stepping", hardware->cpu_stepping);
	put_string(cpu, "brand", hardware->cpu_brand);
	put(cpu, "features", strings(&hardware->cpu_features));
	return cpu;
}

static bool is_same_feature(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

/* The hardware's CPU, passed through without the hidden features. */
static json_t *passed_cpu_part(const struct mkv_hardware *hardware,
			       const struct mkv_hypervisor *hv)
{
	json_t *cpu = identity_part(hardware);
	json_t *features = json_array();
	for (size_t i = 0; i < hardware->cpu_features.count; i++) {
		const char *name = hardware->cpu_features.items[i];
		bool hidden = false;
		for (size_t j = 0; j < hv->features.count; j++)
			hidden = hidden ||
				 (hv->features.items[j][0] == '-' &&
				  is_same_feature(hv->features.items[j] + 1,
						  name));
		if (!hidden)
			(void)json_array_append_new(features,
						    json_string(name));
	}
	put(cpu, "features", features);
	return cpu;
}

/* A CPU model of QEMU; empty when its identity is unknown here. */
static json_t *named_cpu_part(const char *name)
{
	const struct mkv_cpu_model *model = mkv_cpu_model_find(name);
	json_t *cpu = json_object();
	if (!model)
		return cpu;
	put_string(cpu, "vendor", model->vendor);
	put_integer(cpu, "family", model->family);
	put_integer(cpu, "model", model->model);
	put_integer(cpu, "stepping", model->stepping);
	put_string(cpu, "brand", model->brand);
	return cpu;
}

/* host-model: libvirt chooses the model when the guest starts, so only the
 * vendor is known. */
static json_t *host_model_part(const struct mkv_hardware *hardware)
{
	json_t *cpu = json_object();
	put_string(cpu, "vendor", hardware->cpu_vendor);
	return cpu;
}

static void put_topology(json_t *cpu, unsigned sockets, unsigned cores,
			 unsigned threads)
{
	put_integer(cpu, "sockets", sockets);
	put_integer(cpu, "cores", cores);
	put_integer(cpu, "threads", threads);
}

static void put_hypervisor_bit(json_t *cpu, bool present, const char *signature)
{
	put(cpu, "hypervisor", json_boolean(present));
	if (present)
		put_string(cpu, "hypervisor_signature", signature);
}

/* At most `threads` threads, all that the machine has, share a cache. */
static json_t *caches_part(const struct mkv_hardware *hardware,
			   unsigned threads)
{
	json_t *array = json_array();
	for (size_t i = 0; i < hardware->n_caches; i++) {
		const struct mkv_cache *cache = &hardware->caches[i];
		unsigned shared =
			cache->shared_by < threads ? cache->shared_by : threads;
		json_t *one = json_object();
		put_integer(one, "level", cache->level);
		put_string(one, "type", cache->type);
		put_integer(one, "size", (int64_t)cache->size_bytes);
		if (cache->ways)
			put_integer(one, "ways", cache->ways);
		if (cache->line_bytes)
			put_integer(one, "line", cache->line_bytes);
		if (shared)
			put_integer(one, "shared_by", shared);
		(void)json_array_append_new(array, one);
	}
	return array;
}

static json_t *memory_part(uint64_t bytes, unsigned numa_nodes,
			   uint64_t huge_page_bytes, uint64_t huge_pages)
{
	json_t *part = json_object();
	put_integer(part, "bytes", (int64_t)bytes);
	put_integer(part, "numa_nodes", numa_nodes ? numa_nodes : 1);
	put_integer(part, "huge_page_bytes", (int64_t)huge_page_bytes);
	put_integer(part, "huge_pages", (int64_t)huge_pages);
	return part;
}

static void put_guest(const struct mkv_recipe *recipe, json_t *part)
{
	const struct mkv_hardware *hardware = &recipe->hardware;
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	bool own = strcmp(hv->cpu_mode, "host-passthrough") == 0;
	json_t *cpu = own	      ? passed_cpu_part(hardware, hv)
		      : hv->cpu_model ? named_cpu_part(hv->cpu_model)
				      : host_model_part(hardware);
	put_topology(cpu, hv->sockets, hv->cores, hv->threads);
	put_hypervisor_bit(cpu, true,
			   hardware->hypervisor ? hardware->hypervisor_signature
						: KVM_SIGNATURE);
	put(part, "cpu", cpu);
	if (own && strcmp(hv->caches, "passthrough") == 0 && hardware->n_caches)
		put(part, "caches",
		    caches_part(hardware, hv->cores * hv->threads));
	put(part, "memory", memory_part(hv->memory_bytes, 1, 0, 0));
}

uint64_t mkv_contract_huge_pages(const struct mkv_recipe *recipe,
				 const struct mkv_image *image)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	size_t most = 0;
	if (image->platform != MKV_HYPERVISOR || !recipe->has_hypervisor ||
	    !hv->huge_page_bytes)
		return 0;
	for (size_t i = 0; i < recipe->n_hosts; i++)
		if (recipe->hosts[i].guests.count > most)
			most = recipe->hosts[i].guests.count;
	return most * (hv->memory_bytes / hv->huge_page_bytes);
}

static void put_hardware(const struct mkv_recipe *recipe,
			 const struct mkv_image *image, json_t *part)
{
	const struct mkv_hardware *hardware = &recipe->hardware;
	json_t *cpu = identity_part(hardware);
	put_topology(cpu, hardware->sockets, hardware->cores,
		     hardware->threads);
	put_hypervisor_bit(cpu, hardware->hypervisor,
			   hardware->hypervisor_signature);
	put(part, "cpu", cpu);
	if (hardware->n_caches)
		put(part, "caches",
		    caches_part(hardware, hardware->cores * hardware->threads));
	uint64_t pages = mkv_contract_huge_pages(recipe, image);
	uint64_t huge = pages ? recipe->hypervisor.huge_page_bytes : 0;
	put(part, "memory",
	    memory_part(hardware->memory_bytes, hardware->numa_nodes, huge,
			pages));
}

void mkv_contract_machine(const struct mkv_recipe *recipe,
			  const struct mkv_image *image, json_t *part)
{
	const struct mkv_strings *clocksources = &recipe->hardware.clocksources;
	if (image->platform == MKV_ON_KVM && recipe->has_hypervisor) {
		put_guest(recipe, part);
		clocksources = &recipe->hypervisor.clocksources;
	} else {
		put_hardware(recipe, image, part);
	}
	if (clocksources->count)
		put(part, "clocksources", strings(clocksources));
}

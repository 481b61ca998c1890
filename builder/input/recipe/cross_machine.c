/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "builder/input/recipe/cross.h"
#include "builder/input/recipe/units.h"
#include "lib/hardware_limits.h"

static unsigned machine_threads(const struct mkv_hardware *h)
{
	return h->sockets * h->cores * h->threads; /* at most 2^26 */
}

/* The limit of contracts and of the verifier too. */
static void check_threads(const struct mkv_cross *c)
{
	unsigned threads = machine_threads(&c->recipe->hardware);
	if (threads > MKV_CPU_COUNT_MAX)
		mkv_diagnose(
			c->load, mkv_cross_mark(c, "hardware.cpu"),
			"a machine has at most %d hardware threads, not %u",
			MKV_CPU_COUNT_MAX, threads);
}

static void check_caches(const struct mkv_cross *c)
{
	const struct mkv_hardware *h = &c->recipe->hardware;
	unsigned threads = machine_threads(h);
	struct mkv_mark mark = mkv_cross_mark(c, "hardware.caches");
	for (size_t i = 0; i < h->n_caches; i++) {
		const struct mkv_cache *cache = &h->caches[i];
		if (cache->shared_by > threads || threads % cache->shared_by)
			mkv_diagnose(
				c->load, mark,
				"level-%u %s cache: %u hardware threads can't "
				"be divided into groups of %u",
				cache->level, cache->type, threads,
				cache->shared_by);
		if (cache->size_bytes % cache->line_bytes)
			mkv_diagnose(
				c->load, mark,
				"level-%u %s cache: the size is not a multiple "
				"of the line size of %u bytes",
				cache->level, cache->type, cache->line_bytes);
		if (i == 0 || cache[-1].level != cache->level)
			continue;
		if (strcmp(cache[-1].type, cache->type) == 0)
			mkv_diagnose(c->load, mark,
				     "level-%u %s cache: defined twice",
				     cache->level, cache->type);
		else if (strcmp(cache->type, "unified") == 0)
			mkv_diagnose(
				c->load, mark,
				"level-%u cache: can't be both unified and %s",
				cache->level, cache[-1].type);
	}
}

static void check_guest_cpu(const struct mkv_cross *c)
{
	const struct mkv_hypervisor *h = &c->recipe->hypervisor;
	struct mkv_mark mark = mkv_cross_mark(c, "hypervisor.cpu");
	unsigned available = machine_threads(&c->recipe->hardware);
	unsigned requested = h->sockets * h->cores * h->threads;
	bool custom = strcmp(h->cpu_mode, "custom") == 0;
	if (custom && !h->cpu_model)
		mkv_diagnose(c->load, mark, "mode custom requires 'model'");
	if (!custom && h->cpu_model)
		mkv_diagnose(c->load, mkv_cross_mark(c, "hypervisor.cpu.model"),
			     "'model' requires mode custom, not %s",
			     h->cpu_mode);
	if (strcmp(h->caches, "passthrough") == 0 &&
	    strcmp(h->cpu_mode, "host-passthrough") != 0)
		mkv_diagnose(
			c->load, mkv_cross_mark(c, "hypervisor.cpu.caches"),
			"caches passthrough requires mode host-passthrough, "
			"not %s",
			h->cpu_mode);
	if (requested > available)
		mkv_diagnose(c->load, mark,
			     "a guest has %u CPUs, more than the machine's %u "
			     "hardware threads",
			     requested, available);
}

static void check_guest_memory(const struct mkv_cross *c)
{
	const struct mkv_hypervisor *h = &c->recipe->hypervisor;
	char requested[32], available[32];
	if (h->memory_bytes > c->recipe->hardware.memory_bytes) {
		mkv_size_print(h->memory_bytes, requested);
		mkv_size_print(c->recipe->hardware.memory_bytes, available);
		mkv_diagnose(
			c->load, mkv_cross_mark(c, "hypervisor.memory.size"),
			"a guest has %s of memory, more than the machine's %s",
			requested, available);
	}
	uint64_t page = h->huge_page_bytes;
	if (page == 0)
		return;
	struct mkv_mark mark =
		mkv_cross_mark(c, "hypervisor.memory.huge-pages");
	if (page != 1ULL << 21 && page != 1ULL << 30)
		mkv_diagnose(c->load, mark,
			     "'huge-pages' must be 2MiB, 1GiB, or 0B for none");
	else if (h->memory_bytes % page)
		mkv_diagnose(
			c->load, mark,
			"the guest's memory is not a multiple of the huge page "
			"size");
}

static void check_guest_disk(const struct mkv_cross *c)
{
	const struct mkv_recipe *r = c->recipe;
	const struct mkv_hypervisor *h = &r->hypervisor;
	bool cached = strcmp(h->disk_cache, "none") != 0 &&
		      strcmp(h->disk_cache, "directsync") != 0;
	if (strcmp(h->disk_io, "native") == 0 && cached)
		mkv_diagnose(
			c->load, mkv_cross_mark(c, "hypervisor.disk.io"),
			"io native requires cache none or directsync, not %s",
			h->disk_cache);
	for (size_t i = 0; i < r->n_images; i++)
		if (r->images[i].platform == MKV_ON_KVM &&
		    r->images[i].size_bytes != h->disk_bytes)
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "images.%s.disk.size",
					       r->images[i].name),
				"the disk size of a guest's image must equal "
				"'hypervisor.disk.size'");
}

static const struct mkv_host *find_host(const struct mkv_recipe *r,
					const char *name)
{
	for (size_t i = 0; i < r->n_hosts; i++)
		if (strcmp(r->hosts[i].name, name) == 0)
			return &r->hosts[i];
	return NULL;
}

static enum mkv_image_platform platform_of(const struct mkv_recipe *r,
					   const struct mkv_host *host)
{
	return r->images[host->image].platform;
}

/* The total resources of all guests of a machine. */
static void check_total_resources(const struct mkv_cross *c,
				  const struct mkv_host *host,
				  struct mkv_mark mark)
{
	const struct mkv_recipe *r = c->recipe;
	const struct mkv_hypervisor *h = &r->hypervisor;
	char requested[32], available[32];
	size_t count = host->guests.count;
	uint64_t memory;
	if (count < 2)
		return; /* check_guest_memory() covers a single guest */
	if (strcmp(h->pin, "one-to-one") == 0)
		mkv_diagnose(
			c->load, mark,
			"%zu guests on '%s' would be pinned to the same CPUs: "
			"pin one-to-one allows one guest per machine",
			count, host->name);
	if (__builtin_mul_overflow(h->memory_bytes, count, &memory))
		memory = UINT64_MAX;
	if (memory <= r->hardware.memory_bytes)
		return;
	mkv_size_print(memory, requested);
	mkv_size_print(r->hardware.memory_bytes, available);
	mkv_diagnose(c->load, mark,
		     "%zu guests have %s of memory in total, more than the "
		     "machine's %s",
		     count, requested, available);
}

static void check_guests(const struct mkv_cross *c, const struct mkv_host *host)
{
	const struct mkv_recipe *r = c->recipe;
	struct mkv_mark mark = mkv_cross_mark(c, "hosts.%s.guests", host->name);
	bool is_hypervisor = platform_of(r, host) == MKV_HYPERVISOR;
	if (host->guests.count && !is_hypervisor)
		mkv_diagnose(c->load, mark,
			     "host '%s' can't run guests: its image has the "
			     "platform %s, not hypervisor",
			     host->name,
			     mkv_platform_name(platform_of(r, host)));
	if (!host->guests.count && is_hypervisor)
		mkv_diagnose(c->load, mark,
			     "hypervisor host '%s' has no guests: list them in "
			     "'guests'",
			     host->name);
	for (size_t i = 0; is_hypervisor && i < host->guests.count; i++) {
		const struct mkv_host *guest =
			find_host(r, host->guests.items[i]);
		if (guest && platform_of(r, guest) != MKV_ON_KVM)
			mkv_diagnose(
				c->load, mark,
				"host '%s' can't be a guest: its image has the "
				"platform %s, not guest",
				guest->name,
				mkv_platform_name(platform_of(r, guest)));
	}
	if (is_hypervisor)
		check_total_resources(c, host, mark);
}

/* Every guest belongs to exactly one hypervisor host. */
static void check_hypervisor_hosts(const struct mkv_cross *c)
{
	const struct mkv_recipe *r = c->recipe;
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct mkv_host *host = &r->hosts[i];
		size_t hypervisor_hosts = 0;
		check_guests(c, host);
		if (platform_of(r, host) != MKV_ON_KVM)
			continue;
		for (size_t j = 0; j < r->n_hosts; j++)
			hypervisor_hosts += mkv_strings_has(&r->hosts[j].guests,
							    host->name);
		if (hypervisor_hosts != 1)
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "hosts.%s", host->name),
				hypervisor_hosts
					? "host '%s' is listed as a guest of %zu hosts"
					: "guest '%s' has no hypervisor host: "
					  "list it in the 'guests' of a host "
					  "with the hypervisor's image",
				host->name, hypervisor_hosts);
	}
}

/* Otherwise other checks have reported the cause, and errors about guests
 * would only follow from it. */
static bool has_kvm(const struct mkv_recipe *r)
{
	return (r->scenario == MKV_KVM || r->scenario == MKV_KVM_DOCKER) &&
	       r->images[r->hypervisor.image].platform == MKV_HYPERVISOR;
}

void mkv_cross_machine(const struct mkv_cross *c)
{
	check_threads(c);
	check_caches(c);
	if (!c->recipe->has_hypervisor)
		return;
	check_guest_cpu(c);
	check_guest_memory(c);
	check_guest_disk(c);
	if (has_kvm(c->recipe))
		check_hypervisor_hosts(c);
}

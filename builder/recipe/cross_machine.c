/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "builder/recipe/cross.h"
#include "builder/recipe/units.h"

static unsigned machine_threads(const struct mkv_hardware *h)
{
	return h->sockets * h->cores * h->threads; /* at most 2^19 */
}

static void check_caches(const struct mkv_cross *c)
{
	const struct mkv_hardware *h = &c->recipe->hardware;
	unsigned threads = machine_threads(h);
	struct mkv_mark mark = mkv_cross_mark(c, "hardware.caches");
	for (size_t i = 0; i < h->n_caches; i++) {
		const struct mkv_cache *cache = &h->caches[i];
		if (cache->shared_by > threads || threads % cache->shared_by)
			mkv_complain(c->load, mark,
				     "%u hardware threads can't share level-%u "
				     "%s caches by %u",
				     threads, cache->level, cache->type,
				     cache->shared_by);
		if (cache->size_bytes % cache->line_bytes)
			mkv_complain(c->load, mark,
				     "the level-%u %s cache isn't a whole "
				     "number of lines of %u bytes",
				     cache->level, cache->type,
				     cache->line_bytes);
		if (i == 0 || cache[-1].level != cache->level)
			continue;
		if (strcmp(cache[-1].type, cache->type) == 0)
			mkv_complain(c->load, mark,
				     "the level-%u %s cache stands here twice",
				     cache->level, cache->type);
		else if (strcmp(cache->type, "unified") == 0)
			mkv_complain(c->load, mark,
				     "a level-%u cache is either unified or "
				     "for %s, not both",
				     cache->level, cache[-1].type);
	}
}

static void check_cpu(const struct mkv_cross *c)
{
	const struct mkv_hypervisor *h = &c->recipe->hypervisor;
	struct mkv_mark mark = mkv_cross_mark(c, "hypervisor.cpu");
	unsigned have = machine_threads(&c->recipe->hardware);
	unsigned want = h->sockets * h->cores * h->threads;
	bool custom = strcmp(h->cpu_mode, "custom") == 0;
	if (custom && !h->cpu_model)
		mkv_complain(c->load, mark,
			     "mode custom needs the CPU's 'model'");
	if (!custom && h->cpu_model)
		mkv_complain(c->load, mkv_cross_mark(c, "hypervisor.cpu.model"),
			     "a 'model' stands only with mode custom, not "
			     "with %s",
			     h->cpu_mode);
	if (strcmp(h->caches, "passthrough") == 0 &&
	    strcmp(h->cpu_mode, "host-passthrough") != 0)
		mkv_complain(c->load,
			     mkv_cross_mark(c, "hypervisor.cpu.caches"),
			     "caches are passed through only with mode "
			     "host-passthrough, not with %s",
			     h->cpu_mode);
	if (want > have)
		mkv_complain(c->load, mark,
			     "a guest of %u CPUs doesn't fit the machine's %u "
			     "hardware threads",
			     want, have);
}

static void check_memory(const struct mkv_cross *c)
{
	const struct mkv_hypervisor *h = &c->recipe->hypervisor;
	char want[32], have[32];
	if (h->memory_bytes > c->recipe->hardware.memory_bytes) {
		mkv_size_print(h->memory_bytes, want);
		mkv_size_print(c->recipe->hardware.memory_bytes, have);
		mkv_complain(c->load,
			     mkv_cross_mark(c, "hypervisor.memory.size"),
			     "a guest of %s doesn't fit the machine's %s", want,
			     have);
	}
	uint64_t page = h->huge_page_bytes;
	if (page == 0)
		return;
	struct mkv_mark mark =
		mkv_cross_mark(c, "hypervisor.memory.huge-pages");
	if (page != 1ULL << 21 && page != 1ULL << 30)
		mkv_complain(c->load, mark,
			     "huge pages are 2MiB or 1GiB, or 0B for none");
	else if (h->memory_bytes % page)
		mkv_complain(c->load, mark,
			     "the guest's memory isn't a whole number of huge "
			     "pages");
}

static void check_disk(const struct mkv_cross *c)
{
	const struct mkv_recipe *r = c->recipe;
	const struct mkv_hypervisor *h = &r->hypervisor;
	bool cached = strcmp(h->disk_cache, "none") != 0 &&
		      strcmp(h->disk_cache, "directsync") != 0;
	if (strcmp(h->disk_io, "native") == 0 && cached)
		mkv_complain(c->load, mkv_cross_mark(c, "hypervisor.disk.io"),
			     "io native needs cache none or directsync, not %s",
			     h->disk_cache);
	for (size_t i = 0; i < r->n_images; i++)
		if (r->images[i].platform == MKV_ON_KVM &&
		    r->images[i].size_bytes > h->disk_bytes)
			mkv_complain(c->load,
				     mkv_cross_mark(c, "images.%s.disk.size",
						    r->images[i].name),
				     "the image is larger than the guests' "
				     "disk");
}

void mkv_cross_machine(const struct mkv_cross *c)
{
	check_caches(c);
	if (!c->recipe->has_hypervisor)
		return;
	check_cpu(c);
	check_memory(c);
	check_disk(c);
}

/* SPDX-License-Identifier: MIT */
#include "lib/checks.h"

#include <string.h>

static bool has_setting(const struct mkv_check_scope *scope, const char *key)
{
	const struct mkv_contract_pairs *settings = &scope->image->settings;
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->items[i].key, key) == 0)
			return true;
	return false;
}

static bool always(const struct mkv_check_scope *scope)
{
	(void)scope;
	return true;
}

static bool has_cpu_model(const struct mkv_check_scope *scope)
{
	const struct mkv_contract_cpu *cpu = &scope->image->cpu;
	return cpu->vendor || cpu->brand || cpu->family >= 0 ||
	       cpu->model >= 0 || cpu->stepping >= 0 || cpu->features.count;
}

static bool has_topology(const struct mkv_check_scope *scope)
{
	const struct mkv_contract_cpu *cpu = &scope->image->cpu;
	return cpu->sockets || cpu->cores || cpu->threads;
}

static bool has_threads(const struct mkv_check_scope *scope)
{
	return scope->image->cpu.threads > 0;
}

static bool has_caches(const struct mkv_check_scope *scope)
{
	return scope->image->n_caches > 0;
}

static bool has_memory(const struct mkv_check_scope *scope)
{
	return scope->image->memory.bytes || scope->image->memory.numa_nodes;
}

static bool has_huge_pages(const struct mkv_check_scope *scope)
{
	return scope->image->memory.promised &&
	       scope->image->memory.huge_pages >= 0;
}

static bool has_clock(const struct mkv_check_scope *scope)
{
	return scope->contract->has_clock;
}

static bool has_clocksources(const struct mkv_check_scope *scope)
{
	return scope->image->clocksources.count > 0;
}

static bool has_command_line(const struct mkv_check_scope *scope)
{
	return scope->image->kernel.has_command_line;
}

static bool has_sysctls(const struct mkv_check_scope *scope)
{
	return scope->image->sysctls.count > 0;
}

static bool has_interfaces(const struct mkv_check_scope *scope)
{
	return scope->image->interfaces.count > 0;
}

static bool has_engine(const struct mkv_check_scope *scope)
{
	return scope->image->docker.version ||
	       scope->image->docker.storage_driver;
}

static bool has_networks(const struct mkv_check_scope *scope)
{
	return scope->image->docker.n_networks > 0;
}

static bool has_volumes(const struct mkv_check_scope *scope)
{
	return scope->image->docker.volumes.count > 0;
}

static bool has_docker(const struct mkv_check_scope *scope)
{
	return scope->image->docker.promised;
}

static bool has_containers(const struct mkv_check_scope *scope)
{
	const struct mkv_contract_docker *docker = &scope->image->docker;
	for (size_t i = 0; i < docker->n_containers; i++) {
		const struct mkv_contract_container *container =
			&docker->containers[i];
		if (mkv_contract_strings_have(&scope->host->containers,
					      container->name) &&
		    (container->roles.count == 0 ||
		     mkv_contract_strings_have(&container->roles,
					       scope->host->role)))
			return true;
	}
	return false;
}

/* True when a guest of this host has a promised domain and, if `pinned`,
 * promised CPUs for its threads. */
static bool has_guest(const struct mkv_check_scope *scope, bool pinned)
{
	const struct mkv_contract_strings *guests = &scope->host->guests;
	for (size_t i = 0; i < guests->count; i++) {
		const struct mkv_contract_host *guest = mkv_contract_find_host(
			scope->contract, guests->items[i]);
		if (guest && guest->hypervisor.promised &&
		    (!pinned || mkv_contract_is_pinned(guest)))
			return true;
	}
	return false;
}

bool mkv_contract_is_pinned(const struct mkv_contract_host *guest)
{
	return guest->hypervisor.cpu.pins.count ||
	       guest->hypervisor.cpu.others.count;
}

static bool runs_guests(const struct mkv_check_scope *scope)
{
	return scope->image->platform == MKV_PLATFORM_HYPERVISOR &&
	       scope->host->guests.count > 0;
}

static bool has_guests(const struct mkv_check_scope *scope)
{
	return has_guest(scope, false);
}

static bool has_pins(const struct mkv_check_scope *scope)
{
	return has_guest(scope, true);
}

static bool has_packages(const struct mkv_check_scope *scope)
{
	return scope->image->n_packages > 0;
}

static bool has_files(const struct mkv_check_scope *scope)
{
	return scope->image->files.list != NULL;
}

static bool has_units(const struct mkv_check_scope *scope)
{
	return scope->image->units_enabled.count +
		       scope->image->units_masked.count >
	       0;
}

static bool has_tpm_key(const struct mkv_check_scope *scope)
{
	return scope->host->tpm_key != NULL;
}

#define ROW(id, name, watched, setting, other, promised, of_guests, why)       \
	{name, watched, setting, other, promised, of_guests},
const struct mkv_check_promise mkv_check_promises[] = {
	MKV_CHECK_CATALOGUE(ROW){0},
};

bool mkv_check_is_promised(const struct mkv_check_promise *check,
			   const struct mkv_check_scope *scope)
{
	return (check->is_promised && check->is_promised(scope)) ||
	       (check->setting && has_setting(scope, check->setting)) ||
	       (check->other_setting &&
		has_setting(scope, check->other_setting));
}

bool mkv_check_verifies_setting(const char *key)
{
	for (const struct mkv_check_promise *c = mkv_check_promises; c->name;
	     c++)
		if ((c->setting && strcmp(c->setting, key) == 0) ||
		    (c->other_setting && strcmp(c->other_setting, key) == 0))
			return true;
	return false;
}

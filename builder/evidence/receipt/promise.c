/* SPDX-License-Identifier: MIT */
/* When a check is promised: each must then have been asked. */
#include "builder/evidence/receipt/review_internal.h"

#include <string.h>

/* Whose promise it is. */
struct place {
	const struct mkv_contract *contract;
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
};

static bool has_setting(const struct place *place, const char *key)
{
	const struct mkv_contract_pairs *settings = &place->image->settings;
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->items[i].key, key) == 0)
			return true;
	return false;
}

static bool always(const struct place *place)
{
	(void)place;
	return true;
}

static bool has_cpu_model(const struct place *place)
{
	const struct mkv_contract_cpu *cpu = &place->image->cpu;
	return cpu->vendor || cpu->brand || cpu->family >= 0 ||
	       cpu->model >= 0 || cpu->stepping >= 0 || cpu->features.count;
}

static bool has_topology(const struct place *place)
{
	const struct mkv_contract_cpu *cpu = &place->image->cpu;
	return cpu->sockets || cpu->cores || cpu->threads;
}

static bool has_threads(const struct place *place)
{
	return place->image->cpu.threads > 0;
}

static bool has_caches(const struct place *place)
{
	return place->image->n_caches > 0;
}

static bool has_memory(const struct place *place)
{
	return place->image->memory.bytes || place->image->memory.numa_nodes;
}

static bool has_huge_pages(const struct place *place)
{
	return place->image->memory.promised &&
	       place->image->memory.huge_pages >= 0;
}

static bool has_clock(const struct place *place)
{
	return place->contract->has_clock;
}

static bool has_clocksources(const struct place *place)
{
	return place->image->clocksources.count > 0;
}

static bool has_command_line(const struct place *place)
{
	return place->image->kernel.has_command_line;
}

static bool has_sysctls(const struct place *place)
{
	return place->image->sysctls.count > 0;
}

static bool has_interfaces(const struct place *place)
{
	return place->image->interfaces.count > 0;
}

static bool has_engine(const struct place *place)
{
	return place->image->docker.version ||
	       place->image->docker.storage_driver;
}

static bool has_networks(const struct place *place)
{
	return place->image->docker.n_networks > 0;
}

static bool has_volumes(const struct place *place)
{
	return place->image->docker.volumes.count > 0;
}

static bool has_docker(const struct place *place)
{
	return place->image->docker.promised;
}

static bool has_containers(const struct place *place)
{
	const struct mkv_contract_docker *docker = &place->image->docker;
	for (size_t i = 0; i < docker->n_containers; i++) {
		const struct mkv_contract_container *one =
			&docker->containers[i];
		if (mkv_contract_strings_have(&place->host->containers,
					      one->name) &&
		    (one->roles.count == 0 ||
		     mkv_contract_strings_have(&one->roles, place->host->role)))
			return true;
	}
	return false;
}

/* A guest of this host whose domain is promised, and, when asked for, where its
 * threads may run. */
static bool has_guest(const struct place *place, bool pinned)
{
	const struct mkv_contract_strings *guests = &place->host->guests;
	for (size_t i = 0; i < guests->count; i++) {
		const struct mkv_contract_host *guest = mkv_contract_find_host(
			place->contract, guests->items[i]);
		if (guest && guest->hypervisor.promised &&
		    (!pinned || mkv_receipt_is_pinned(guest)))
			return true;
	}
	return false;
}

bool mkv_receipt_is_pinned(const struct mkv_contract_host *guest)
{
	return guest->hypervisor.cpu.pins.count ||
	       guest->hypervisor.cpu.others.count;
}

static bool runs_guests(const struct place *place)
{
	return place->image->platform == MKV_PLATFORM_HYPERVISOR &&
	       place->host->guests.count > 0;
}

static bool has_guests(const struct place *place)
{
	return has_guest(place, false);
}

static bool has_pins(const struct place *place)
{
	return has_guest(place, true);
}

static bool has_packages(const struct place *place)
{
	return place->image->n_packages > 0;
}

static bool has_files(const struct place *place)
{
	return place->image->files.list != NULL;
}

static bool has_units(const struct place *place)
{
	return place->image->units_enabled.count +
		       place->image->units_masked.count >
	       0;
}

static bool has_tpm_key(const struct place *place)
{
	return place->host->tpm_key != NULL;
}

/* Every check of mkvbench-verify --list (review_test compares them), which of
 * them a watch asks, and what promises it: either of two settings, or more. */
static const struct row {
	const char *check;
	bool watched;
	const char *setting, *other_setting;
	bool (*is_promised)(const struct place *place);
	bool of_guests; /* says nothing while none runs */
} rows[] = {
	{"contract", true, NULL, NULL, always, false},
	{"cpu-model", false, NULL, NULL, has_cpu_model, false},
	{"hypervisor", false, NULL, NULL, always, false},
	{"cpu-topology", false, NULL, NULL, has_topology, false},
	{"smt", true, "smt", NULL, has_threads, false},
	{"cache-topology", false, NULL, NULL, has_caches, false},
	{"memory", false, NULL, NULL, has_memory, false},
	{"huge-pages", true, NULL, NULL, has_huge_pages, false},
	{"clock", true, NULL, NULL, has_clock, false},
	{"clocksource", true, NULL, NULL, has_clocksources, false},
	{"time-daemons", true, NULL, NULL, has_clock, false},
	{"kernel", false, NULL, NULL, always, false},
	{"command-line", false, NULL, NULL, has_command_line, false},
	{"mitigations", false, "mitigations", NULL, has_command_line, false},
	{"governor", true, "governor", NULL, NULL, false},
	{"boost", true, "boost", NULL, NULL, false},
	{"transparent-hugepage", true, "transparent_hugepage", NULL, NULL,
	 false},
	{"ksm", true, "ksm", NULL, NULL, false},
	{"numa-balancing", true, "numa_balancing", NULL, NULL, false},
	{"swap", true, "swap", NULL, NULL, false},
	{"io-scheduler", true, "io_scheduler", NULL, NULL, false},
	{"sysctls", true, NULL, NULL, has_sysctls, false},
	{"drivers", false, "disk_driver", "nic_driver", NULL, false},
	{"interfaces", true, NULL, NULL, has_interfaces, false},
	{"docker-engine", false, NULL, NULL, has_engine, false},
	{"docker-networks", true, NULL, NULL, has_networks, false},
	{"docker-volumes", true, NULL, NULL, has_volumes, false},
	{"docker-images", false, NULL, NULL, has_containers, false},
	{"docker-containers", true, NULL, NULL, has_docker, false},
	{"guests", true, NULL, NULL, runs_guests, false},
	{"guest-cpu", true, NULL, NULL, has_guests, true},
	{"guest-pinning", true, NULL, NULL, has_pins, true},
	{"guest-memory", true, NULL, NULL, has_guests, true},
	{"guest-devices", true, NULL, NULL, has_guests, true},
	{"packages", false, NULL, NULL, has_packages, false},
	{"files", false, NULL, NULL, has_files, false},
	{"units", false, NULL, NULL, has_units, false},
	{"daemons", true, NULL, NULL, always, false},
	{"tpm-key", false, NULL, NULL, has_tpm_key, false},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const char *mkv_receipt_promise(size_t index, bool *ret_watched)
{
	if (index >= ROWS)
		return NULL;
	*ret_watched = rows[index].watched;
	return rows[index].check;
}

static bool is_promised(const struct row *row, const struct place *place)
{
	return (row->is_promised && row->is_promised(place)) ||
	       (row->setting && has_setting(place, row->setting)) ||
	       (row->other_setting && has_setting(place, row->other_setting));
}

const json_t *mkv_receipt_find_check(const json_t *receipt, const char *name)
{
	const json_t *checks = json_object_get(receipt, "checks");
	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *check = json_array_get(checks, i);
		const char *said =
			json_string_value(json_object_get(check, "name"));
		if (said && strcmp(said, name) == 0)
			return check;
	}
	return NULL;
}

static bool has_running_guest(const json_t *receipt)
{
	const json_t *guests = json_object_get(receipt, "guests");
	for (size_t i = 0; i < json_array_size(guests); i++) {
		const char *state = json_string_value(
			json_object_get(json_array_get(guests, i), "state"));
		if (state && strcmp(state, "running") == 0)
			return true;
	}
	return false;
}

/* A machine must be right before its guests start: until then there is nothing
 * to be said of them. */
static bool was_asked(const struct row *row, const json_t *receipt)
{
	const json_t *check = mkv_receipt_find_check(receipt, row->check);
	const char *result =
		json_string_value(json_object_get(check, "result"));
	return result && (strcmp(result, "not-promised") != 0 ||
			  (row->of_guests && !has_running_guest(receipt)));
}

/* A promise that no check reads is one that nobody keeps. */
static void require_settings(struct mkv_receipt_review *review,
			     const struct mkv_contract_pairs *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		const char *key = settings->items[i].key;
		bool known = false;
		for (size_t j = 0; j < ROWS; j++)
			known = known ||
				(rows[j].setting &&
				 strcmp(rows[j].setting, key) == 0) ||
				(rows[j].other_setting &&
				 strcmp(rows[j].other_setting, key) == 0);
		if (!known)
			mkv_receipt_complain(
				review,
				"setting '%.64s': promised, but no check asks "
				"for it",
				key);
	}
}

void mkv_receipt_require(struct mkv_receipt_review *review,
			 const json_t *receipt,
			 const struct mkv_contract *contract,
			 const struct mkv_contract_host *host,
			 const struct mkv_contract_image *image)
{
	const struct place place = {contract, host, image};
	bool watch = strcmp(review->phase, "watch") == 0;
	for (size_t i = 0; i < ROWS; i++)
		if ((!watch || rows[i].watched) &&
		    is_promised(&rows[i], &place) &&
		    !was_asked(&rows[i], receipt))
			mkv_receipt_complain(review,
					     "%s: promised, but not asked",
					     rows[i].check);
	require_settings(review, &image->settings);
}

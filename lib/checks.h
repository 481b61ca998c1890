/* SPDX-License-Identifier: MIT */
#pragma once
/* The catalogue of checks: the verifier runs them, a review of receipts
 * requires those that the contract promises. */

#include "lib/contract.h"

/* One row per check, in the order of the report. A name never changes its
 * meaning: recipes accept checks by name. The columns: identifier, name
 *   watched: the check runs again every minute
 *   setting, other setting: promised when the image has either (or NULL)
 *   promised: promised when this function of checks.c returns true (or NULL)
 *   of guests: has no result while no guest runs
 *   why a difference matters to a measurement */
#define MKV_CHECK_CATALOGUE(X)                                                 \
	X(contract, "contract", true, NULL, NULL, always, false,               \
	  "a promise that anyone could have edited promises nothing")          \
	X(cpu_model, "cpu-model", false, NULL, NULL, has_cpu_model, false,     \
	  "another model, or a masked feature, runs other code paths at "      \
	  "other speeds")                                                      \
	X(hypervisor, "hypervisor", false, NULL, NULL, always, false,          \
	  "bare metal must be bare, and a guest runs on the hypervisor "       \
	  "that is compared")                                                  \
	X(cpu_topology, "cpu-topology", false, NULL, NULL, has_topology,       \
	  false,                                                               \
	  "which threads share a core and a socket decides scheduling and "    \
	  "contention")                                                        \
	X(smt, "smt", true, "smt", NULL, has_threads, false,                   \
	  "two busy threads of one core run slower than two cores")            \
	X(cache_topology, "cache-topology", false, NULL, NULL, has_caches,     \
	  false, "shared-cache layout decides scheduling and data placement")  \
	X(memory, "memory", false, NULL, NULL, has_memory, false,              \
	  "less memory or other nodes change caching, paging and locality")    \
	X(huge_pages, "huge-pages", true, NULL, NULL, has_huge_pages, false,   \
	  "a guest without its huge pages pays for every TLB miss twice")      \
	X(clock, "clock", true, NULL, NULL, has_clock, false,                  \
	  "spans from two hosts are compared in microseconds")                 \
	X(clocksource, "clocksource", true, NULL, NULL, has_clocksources,      \
	  false, "a slow clocksource costs a system call per time stamp")      \
	X(time_daemons, "time-daemons", true, NULL, NULL, has_clock, false,    \
	  "two daemons that steer one clock fight over it")                    \
	X(kernel, "kernel", false, NULL, NULL, always, false,                  \
	  "schedulers, mitigations and drivers differ between kernels")        \
	X(command_line, "command-line", false, NULL, NULL, has_command_line,   \
	  false, "one word can switch mitigations, isolation or clocks")       \
	X(mitigations, "mitigations", false, "mitigations", NULL,              \
	  has_command_line, false,                                             \
	  "mitigations cost some system calls and switches a third")           \
	X(governor, "governor", true, "governor", NULL, NULL, false,           \
	  "a governor that saves power adds latency to short requests")        \
	X(boost, "boost", true, "boost", NULL, NULL, false,                    \
	  "boost makes speed depend on temperature and on neighbours")         \
	X(transparent_hugepage, "transparent-hugepage", true,                  \
	  "transparent_hugepage", NULL, NULL, false,                           \
	  "huge pages that come and go stall allocations")                     \
	X(ksm, "ksm", true, "ksm", NULL, NULL, false,                          \
	  "page merging burns a core and lets guests slow each other")         \
	X(numa_balancing, "numa-balancing", true, "numa_balancing", NULL,      \
	  NULL, false,                                                         \
	  "migrating pages faults in the middle of a measurement")             \
	X(swap, "swap", true, "swap", NULL, NULL, false,                       \
	  "a page that was swapped out costs a disk access")                   \
	X(io_scheduler, "io-scheduler", true, "io_scheduler", NULL, NULL,      \
	  false, "a scheduler reorders and merges what the database writes")   \
	X(sysctls, "sysctls", true, NULL, NULL, has_sysctls, false,            \
	  "kernel settings the recipe chose must be the ones in force")        \
	X(drivers, "drivers", false, "disk_driver", "nic_driver", NULL, false, \
	  "an emulated disk or NIC is another device than virtio or NVMe")     \
	X(interfaces, "interfaces", true, NULL, NULL, has_interfaces, false,   \
	  "traffic on another NIC crosses another switch and queue")           \
	X(docker_engine, "docker-engine", false, NULL, NULL, has_engine,       \
	  false, "version and storage driver decide what a container costs")   \
	X(docker_networks, "docker-networks", true, NULL, NULL, has_networks,  \
	  false, "a bridge with NAT and the host's network are compared")      \
	X(docker_volumes, "docker-volumes", true, NULL, NULL, has_volumes,     \
	  false, "disk I/O through the overlay measures the overlay")          \
	X(docker_images, "docker-images", false, NULL, NULL, has_containers,   \
	  false, "another image is another program")                           \
	X(docker_containers, "docker-containers", true, NULL, NULL,            \
	  has_docker, false,                                                   \
	  "what runs must be the image, network and volumes that were "        \
	  "promised")                                                          \
	X(guests, "guests", true, NULL, NULL, runs_guests, false,              \
	  "another guest, or one too many, is another experiment on this "     \
	  "machine")                                                           \
	X(guest_cpu, "guest-cpu", true, NULL, NULL, has_guests, true,          \
	  "the model, topology and caches a guest is given are the "           \
	  "comparison")                                                        \
	X(guest_pinning, "guest-pinning", true, NULL, NULL, has_pins, true,    \
	  "a guest's CPU that moves, or shares its core, is another one "      \
	  "each time")                                                         \
	X(guest_memory, "guest-memory", true, NULL, NULL, has_guests, true,    \
	  "small, merged or swapped pages under a guest cost it without a "    \
	  "trace")                                                             \
	X(guest_devices, "guest-devices", true, NULL, NULL, has_guests, true,  \
	  "caching, queues and emulated devices decide what I/O costs a "      \
	  "guest")                                                             \
	X(packages, "packages", false, NULL, NULL, has_packages, false,        \
	  "another version of a library is another program")                   \
	X(files, "files", false, NULL, NULL, has_files, false,                 \
	  "an edited file is a setting that nobody declared")                  \
	X(units, "units", false, NULL, NULL, has_units, false,                 \
	  "a unit too many runs beside the measurement, one too few isn't "    \
	  "there")                                                             \
	X(daemons, "daemons", true, NULL, NULL, always, false,                 \
	  "updaters and indexers wake up in the middle of a measurement")      \
	X(tpm_key, "tpm-key", false, NULL, NULL, has_tpm_key, false,           \
	  "a receipt of another machine, be it of the same kind, is about "    \
	  "that machine")

/* What a promise is looked up in. */
struct mkv_check_scope {
	const struct mkv_contract *contract;
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
};

struct mkv_check_promise {
	const char *name;
	bool watched;
	const char *setting, *other_setting; /* of the image; may be NULL */
	bool (*is_promised)(const struct mkv_check_scope *scope);
	bool of_guests;
};
/* In the order of the catalogue; ends with a NULL name. */
extern const struct mkv_check_promise mkv_check_promises[];

/* True when the contract promises something that this check verifies. */
bool mkv_check_is_promised(const struct mkv_check_promise *check,
			   const struct mkv_check_scope *scope)
	mkv_nonnull(1, 2);
/* True when a check verifies this setting of an image. */
bool mkv_check_verifies_setting(const char *key) mkv_nonnull(1);

/* True when the contract says on which CPUs the guest's threads run. */
bool mkv_contract_is_pinned(const struct mkv_contract_host *guest)
	mkv_nonnull(1);

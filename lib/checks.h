/* SPDX-License-Identifier: MIT */
#pragma once
/* The catalogue of checks. The verifier runs them; `mkvbench receipt verify`
 * requires those that the contract promises. */

#include "lib/contract.h"

/* One row per check, in the order of the report. A name keeps its meaning for
 * ever, because recipes accept checks by name. The columns: identifier, name,
 *   watched: the check runs again every minute
 *   setting, other setting: the check is promised when the image has a value
 *       for either (NULL: none)
 *   promised: the check is promised when this function of checks.c returns true
 *       (NULL: none)
 *   of guests: the check has no result while no guest runs
 *   why: why a difference matters to a measurement */
#define MKV_CHECK_CATALOGUE(X)                                                 \
	X(contract, "contract", true, NULL, NULL, always, false,               \
	  "without a valid signature anyone could have edited the promises")   \
	X(cpu_model, "cpu-model", false, NULL, NULL, has_cpu_model, false,     \
	  "another model or a masked feature runs other code at other speeds") \
	X(hypervisor, "hypervisor", false, NULL, NULL, always, false,          \
	  "metal has no hypervisor, and guests are compared by theirs")        \
	X(cpu_topology, "cpu-topology", false, NULL, NULL, has_topology,       \
	  false, "how threads share cores and sockets decides scheduling")     \
	X(smt, "smt", true, "smt", NULL, has_threads, false,                   \
	  "two busy threads of one core run slower than two cores")            \
	X(cache_topology, "cache-topology", false, NULL, NULL, has_caches,     \
	  false, "shared-cache layout decides scheduling and data placement")  \
	X(memory, "memory", false, NULL, NULL, has_memory, false,              \
	  "less memory or other nodes change caching, paging and locality")    \
	X(huge_pages, "huge-pages", true, NULL, NULL, has_huge_pages, false,   \
	  "without huge pages a guest has more and slower TLB misses")         \
	X(clock, "clock", true, NULL, NULL, has_clock, false,                  \
	  "spans of two hosts are compared in microseconds")                   \
	X(clocksource, "clocksource", true, NULL, NULL, has_clocksources,      \
	  false, "a slow clocksource costs a system call for each time stamp") \
	X(time_daemons, "time-daemons", true, NULL, NULL, has_clock, false,    \
	  "two daemons that steer one clock work against each other")          \
	X(kernel, "kernel", false, NULL, NULL, always, false,                  \
	  "schedulers, mitigations and drivers differ between kernels")        \
	X(command_line, "command-line", false, NULL, NULL, has_command_line,   \
	  false,                                                               \
	  "one parameter can change mitigations, isolation or the clock")      \
	X(mitigations, "mitigations", false, "mitigations", NULL,              \
	  has_command_line, false,                                             \
	  "mitigations slow system calls and switches by up to a third")       \
	X(governor, "governor", true, "governor", NULL, NULL, false,           \
	  "a power-saving governor adds latency to short requests")            \
	X(boost, "boost", true, "boost", NULL, NULL, false,                    \
	  "boost makes speed depend on temperature and on other cores")        \
	X(transparent_hugepage, "transparent-hugepage", true,                  \
	  "transparent_hugepage", NULL, NULL, false,                           \
	  "building huge pages at run time stalls allocations")                \
	X(ksm, "ksm", true, "ksm", NULL, NULL, false,                          \
	  "page merging uses CPU time and lets guests slow each other down")   \
	X(numa_balancing, "numa-balancing", true, "numa_balancing", NULL,      \
	  NULL, false,                                                         \
	  "page migration causes page faults during a measurement")            \
	X(swap, "swap", true, "swap", NULL, NULL, false,                       \
	  "reading a page that was swapped out costs a disk access")           \
	X(io_scheduler, "io-scheduler", true, "io_scheduler", NULL, NULL,      \
	  false,                                                               \
	  "an I/O scheduler reorders and merges the writes of the database")   \
	X(sysctls, "sysctls", true, NULL, NULL, has_sysctls, false,            \
	  "the kernel must run with the settings that the recipe chose")       \
	X(drivers, "drivers", false, "disk_driver", "nic_driver", NULL, false, \
	  "an emulated disk or NIC performs differently from virtio or NVMe")  \
	X(interfaces, "interfaces", true, NULL, NULL, has_interfaces, false,   \
	  "traffic on another NIC passes other switches and queues")           \
	X(docker_engine, "docker-engine", false, NULL, NULL, has_engine,       \
	  false,                                                               \
	  "engine version and storage driver decide what a container costs")   \
	X(docker_networks, "docker-networks", true, NULL, NULL, has_networks,  \
	  false, "bridges with NAT are compared with the network of the host") \
	X(docker_volumes, "docker-volumes", true, NULL, NULL, has_volumes,     \
	  false, "disk I/O through an overlay measures the overlay")           \
	X(docker_images, "docker-images", false, NULL, NULL, has_containers,   \
	  false, "a container made from another image runs another program")   \
	X(docker_containers, "docker-containers", true, NULL, NULL,            \
	  has_docker, false,                                                   \
	  "containers must run with the promised image, network and volumes")  \
	X(guests, "guests", true, NULL, NULL, runs_guests, false,              \
	  "a different or additional guest changes the machine's load")        \
	X(guest_cpu, "guest-cpu", true, NULL, NULL, has_guests, true,          \
	  "guests are compared by their CPU model, topology and caches")       \
	X(guest_pinning, "guest-pinning", true, NULL, NULL, has_pins, true,    \
	  "a guest CPU that migrates or shares its core varies in speed")      \
	X(guest_memory, "guest-memory", true, NULL, NULL, has_guests, true,    \
	  "small, merged or swapped pages slow a guest, which can't see it")   \
	X(guest_devices, "guest-devices", true, NULL, NULL, has_guests, true,  \
	  "cache mode, queues and emulated devices decide the cost of I/O")    \
	X(packages, "packages", false, NULL, NULL, has_packages, false,        \
	  "another version of a library is another program")                   \
	X(files, "files", false, NULL, NULL, has_files, false,                 \
	  "an edited file is a setting that no recipe declares")               \
	X(units, "units", false, NULL, NULL, has_units, false,                 \
	  "an extra unit takes CPU time, a missing one provides no service")   \
	X(daemons, "daemons", true, NULL, NULL, always, false,                 \
	  "updaters and indexers wake up during a measurement")                \
	X(tpm_key, "tpm-key", false, NULL, NULL, has_tpm_key, false,           \
	  "a receipt of another machine proves nothing about this one")

/* The parts of a contract that apply to one host. */
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

/* True when the contract promises the CPUs of the guest's threads. */
bool mkv_contract_is_pinned(const struct mkv_contract_host *guest)
	mkv_nonnull(1);

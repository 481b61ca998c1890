/* SPDX-License-Identifier: MIT */
#pragma once
/* A recipe as one typed value, with includes merged, references resolved and
 * defaults set. The recipe owns all its members. Lists are in the order of the
 * file, maps are sorted by key. Sizes are in bytes, durations in nanoseconds.
 * An omitted string is NULL, never "". */

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/strings.h"

enum mkv_scenario {
	MKV_BARE_METAL,
	MKV_DOCKER,
	MKV_KVM,
	MKV_KVM_DOCKER,
};

/* One cache of the machine, as in CPUID leaf 4 or 0x8000001D. */
struct mkv_cache {
	unsigned level;	     /* 1..4 */
	char *type;	     /* "data", "instruction" or "unified" */
	uint64_t size_bytes; /* of one instance */
	unsigned ways;	     /* 0: fully associative or not declared */
	unsigned line_bytes;
	unsigned shared_by; /* hardware threads that share one instance */
};

/* The physical machine that a result is claimed for. */
struct mkv_hardware {
	char *name;
	char *cpu_vendor; /* "AuthenticAMD" */
	char *cpu_brand;  /* CPUID 0x80000002..4, trimmed */
	unsigned cpu_family, cpu_model,
		cpu_stepping; /* as displayed, extended */
	bool has_cpu_stepping;
	struct mkv_strings cpu_features; /* names as in /proc/cpuinfo */
	unsigned sockets, cores,
		threads; /* cores per socket, threads per core */
	bool hypervisor; /* the machine is emulated, which CPUID shows */
	char *hypervisor_signature; /* "KVMKVMKVM", "TCGTCGTCGTCG" */
	char *qemu_cpu;		    /* closest QEMU CPU model, or NULL */
	struct mkv_cache *caches;   /* by level, then type */
	size_t n_caches;
	uint64_t memory_bytes;
	unsigned numa_nodes;
	struct mkv_strings clocksources; /* any of them is accepted */
	char *disk_driver, *nic_driver; /* of the root disk and the VLAN's card;
					   NULL: any */
};

struct mkv_vlan {
	unsigned id;  /* 1..4094 */
	char *subnet; /* "10.77.0.0/24" */
	unsigned nic; /* number of the NIC that carries it, from 1 */
	unsigned mtu;
};

struct mkv_time {
	char *server;		     /* host that the others follow */
	struct mkv_strings upstream; /* sources of the server */
	int64_t limit_ns, settle_ns, dwell_ns;
};

struct mkv_host {
	char *name;
	size_t image;  /* index into images */
	char *role;    /* "order"; default: the host's name */
	char *address; /* "10.77.0.11", inside the VLAN's subnet */
	char *mac;     /* of the VLAN's NIC, lower case */
	char *tpm_key; /* SHA-256 of its TPM's key; NULL: not checked */
	struct mkv_strings guests; /* hosts that it runs */
};

struct mkv_partition {
	char *label;
	uint64_t size_bytes;
	char *mount;
};

enum mkv_image_platform {
	MKV_ON_METAL,	/* runs on the machine itself */
	MKV_ON_KVM,	/* runs in a guest of the hypervisor */
	MKV_HYPERVISOR, /* runs on the machine and runs the guests */
};

struct mkv_image {
	char *name;
	enum mkv_image_platform platform;
	char *kernel;		     /* package */
	struct mkv_strings packages; /* without the kernel's */
	struct mkv_strings overlays; /* names below overlays/, in order */
	struct mkv_strings programs; /* of programs/, put into /usr/bin */
	struct mkv_strings cmdline;  /* kernel parameters besides root= */
	struct mkv_settings sysctls;
	struct mkv_strings enable, mask; /* systemd units */
	struct mkv_strings containers;	 /* names of containers that it runs */
	uint64_t size_bytes; /* of the disk; 0: smallest that fits */
	struct mkv_partition *partitions; /* data partitions */
	size_t n_partitions;
	bool qcow2, rootfs_tar, uefi; /* outputs besides disk.raw */
};

/* Kernel settings, equal for all images to which they apply. An omitted setting
 * is neither set nor promised in the contract. */
struct mkv_kernel_settings {
	char *governor;
	char *transparent_huge_pages; /* "always", "madvise" or "never" */
	char *io_scheduler;
	char *swap; /* "none" */
	bool has_boost, boost;
	bool has_ksm, ksm;
	bool has_numa_balancing, numa_balancing;
	bool has_mitigations, mitigations;
};

struct mkv_docker_network {
	char *name, *driver, *subnet;
};

struct mkv_docker {
	char *storage_driver;
	struct mkv_docker_network network; /* name NULL: none */
	struct mkv_strings volumes;
};

struct mkv_mount {
	char *volume; /* of docker.volumes */
	char *path;   /* in the container */
};

/* One container: which OCI image it runs and how. */
struct mkv_container {
	char *name;
	char *oci;     /* of oci_images */
	char *network; /* a Docker network's name, or "host" */
	struct mkv_mount *mounts;
	size_t n_mounts;
	struct mkv_strings ports;	 /* "8080:8080/tcp" */
	struct mkv_settings environment; /* includes the settings of services,
					    as MKVBENCH_NAME */
	struct mkv_strings
		roles; /* roles of the hosts that run it; empty: all */
};

/* An OCI image: built here from packages and overlays, or external by digest.
 */
struct mkv_oci_image {
	char *name;
	char *external; /* "registry.example/name:tag", else NULL */
	struct mkv_strings packages;
	struct mkv_strings overlays;
	struct mkv_strings programs; /* of programs/, put into /usr/bin */
	char *user;
	struct mkv_strings entrypoint, command, volumes, ports;
	struct mkv_settings environment;
	struct mkv_settings labels;
	char *working_dir, *stop_signal;
};

struct mkv_hypervisor {
	size_t image;	 /* index into images */
	char *cpu_mode;	 /* "host-passthrough", "host-model" or "custom" */
	char *cpu_model; /* for custom */
	struct mkv_strings features; /* "+topoext", "-svm" */
	unsigned sockets, cores, threads;
	char *caches; /* "passthrough", "emulate" or "disable" */
	char *pin;    /* "one-to-one" or "none" */
	uint64_t memory_bytes, huge_page_bytes; /* 0: none */
	char *disk_bus, *disk_cache, *disk_io;
	uint64_t disk_bytes;
	unsigned iothreads;
	char *nic_model, *bridge;
	unsigned nic_queues;
	struct mkv_strings
		clocksources; /* of guests; any of them is accepted */
};

enum mkv_verify_mode { MKV_VERIFY_GATE, MKV_VERIFY_WARN };

/* A check whose result may be "not established", and the reason. */
struct mkv_acceptance {
	char *check, *reason;
};

struct mkv_service {
	char *name;
	struct mkv_settings settings;
};

/* A field of the load's requests: counts from 1 to `count`. */
struct mkv_request_field {
	char *name;
	unsigned count;
};

/* The HTTP request of a load. */
struct mkv_request {
	char *method;
	char *role; /* of the host that receives it */
	unsigned port;
	char *path, *body; /* with {n} and {FIELD} */
	unsigned status;
	struct mkv_settings headers;
};

/* A service that the experiment cleans up, varies and restarts. */
struct mkv_experiment_service {
	char *name;
	char *role; /* default: the service's name */
	char *unit; /* default: mkvbench-NAME.service */
	unsigned port;
	char *health;
	struct mkv_strings clean_up, vary;
	bool spans;
};

struct mkv_experiment {
	struct mkv_request request;
	struct mkv_request_field *fields;
	size_t n_fields;
	unsigned rate;
	char *arrivals; /* "constant", "jittered", "poisson" */
	unsigned connections, warm_up, measured;
	int64_t timeout_ns;
	struct mkv_experiment_service *services;
	size_t n_services;
};

struct mkv_recipe {
	char *path;
	char *name;
	char *suite; /* "trixie" or "bookworm" */
	enum mkv_scenario scenario;
	struct mkv_hardware hardware;
	struct mkv_vlan vlan;
	struct mkv_time time;
	struct mkv_kernel_settings settings;
	struct mkv_host *hosts;
	size_t n_hosts;
	struct mkv_image *images;
	size_t n_images;
	struct mkv_service *services;
	size_t n_services;
	struct mkv_oci_image *oci_images;
	size_t n_oci_images;
	struct mkv_container *containers;
	size_t n_containers;
	struct mkv_docker docker;
	bool has_hypervisor;
	struct mkv_hypervisor hypervisor;
	bool has_experiment;
	struct mkv_experiment experiment;
	enum mkv_verify_mode verify_mode;
	char *verify_sign; /* "tpm"; NULL: receipts are unsigned */
	struct mkv_acceptance *accept;
	size_t n_accept;
	struct mkv_strings
		files;	 /* every YAML file that was read, the recipe first,
			    relative to the recipe's directory */
	char *canonical; /* the merged recipe: compact JSON */
	char *sha256;	 /* of `canonical`, as hex */
};

/* The diagnostics about a recipe, in the order of file, line and column. */
struct mkv_diagnostic {
	char *file;
	unsigned line, column; /* from 1 */
	char *message;
	char *suggestion; /* the word that was probably meant, or NULL */
};
struct mkv_diagnostics {
	struct mkv_diagnostic *items;
	size_t count;
};
void mkv_diagnostics_done(struct mkv_diagnostics *diagnostics) mkv_nonnull(1);
#define auto_diagnostics __attribute__((cleanup(mkv_diagnostics_done)))

/* Reads, merges and checks a recipe. For an invalid recipe returns a negative
 * errno, with at least one diagnostic in *diagnostics and a one-line summary in
 * *err. */
int mkv_recipe_load(const char *path, struct mkv_recipe **ret,
		    struct mkv_diagnostics *diagnostics,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Finds what recipes refer to by name outside their own files. */
struct mkv_recipe_world {
	bool (*has_overlay)(const char *recipe_path, const char *name);
	bool (*has_program)(const char *name);
};
/* Like mkv_recipe_load(), and also reports overlays and programs that `world`
 * does not have, unless `world` is NULL. */
int mkv_recipe_load_in(const struct mkv_recipe_world *world, const char *path,
		       struct mkv_recipe **ret,
		       struct mkv_diagnostics *diagnostics,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4, 5);
void mkv_recipe_free(struct mkv_recipe *recipe);
MKV_DEFINE_AUTO(recipe, struct mkv_recipe *, mkv_recipe_free)
#define auto_recipe mkv_auto(recipe)

const char *mkv_scenario_name(enum mkv_scenario scenario);
/* "metal", "guest" or "hypervisor", as in recipes and contracts. */
const char *mkv_platform_name(enum mkv_image_platform platform);

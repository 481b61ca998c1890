/* SPDX-License-Identifier: MIT */
#pragma once
/* The contract (docs/CONTRACT.md, docs/contract.schema.json) as one typed
 * value, read from bytes that may be hostile. An unknown member is an error,
 * because no check would verify its promise. A value that is not promised is
 * NULL, 0 or, where 0 is a valid value, -1.
 *
 * Everything is owned by the contract, strings included. Lists keep the
 * document's order; hosts, images and OCI images are sorted by name. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/template.h"

enum { MKV_CONTRACT_LIMIT_BYTES = 16 * 1024 * 1024 };

#define MKV_CONTRACT_PATH "/usr/lib/mkvbench/contract.json"
#define MKV_CONTRACT_BUNDLE_PATH "/usr/lib/mkvbench/contract.sigstore.json"
#define MKV_CONTRACT_KEY_PATH "/usr/lib/mkvbench/key.pub"
#define MKV_FILES_LIST_PATH "/usr/lib/mkvbench/files.list"

/* Parent of the directory, named after the contract, in which a domain expects
 * its disk. `mkvbench import` can use another one. */
#define MKV_LIBVIRT_DISKS "/var/lib/libvirt/images/mkvbench"

struct mkv_contract_strings {
	const char **items;
	size_t count;
};

struct mkv_contract_pair {
	const char *key, *value;
};
struct mkv_contract_pairs {
	struct mkv_contract_pair *items; /* sorted by key */
	size_t count;
};

struct mkv_contract_numbers {
	unsigned *items;
	size_t count;
};

struct mkv_contract_acceptance {
	const char *check, *reason;
};

struct mkv_contract_clock {
	const char *server;  /* a host of the contract */
	const char *address; /* at which the other hosts query it */
	struct mkv_contract_strings upstream; /* the server's own sources */
	int64_t limit_ns, settle_ns, dwell_ns;
};

struct mkv_contract_vlan {
	unsigned id; /* 0: no VLAN is promised */
	const char *subnet;
	unsigned nic, mtu;
};

enum { MKV_CONTRACT_CPUS_MAX = 4096 };

/* A guest's domain as libvirt's XML defines it on the hypervisor host, without
 * the guest's own name and MAC address. */
struct mkv_contract_hypervisor {
	bool promised;
	const char *domain, *uuid;
	const char *firmware; /* "uefi", "bios" */
	struct {
		const char
			*mode; /* "host-passthrough", "host-model", "custom" */
		const char *model;		      /* of custom; NULL */
		struct mkv_contract_strings features; /* "+topoext", "-svm" */
		int migratable; /* of host-passthrough: 0, 1; -1 */
		unsigned sockets, dies, cores, threads; /* cores of a die */
		const char *caches; /* "passthrough", "emulate", "disable" */
		/* pins: for each CPU of the guest, in order, the hypervisor
		 * host's CPU. others: the CPUs for QEMU's other threads. Empty:
		 * any CPU. */
		struct mkv_contract_numbers pins, others;
	} cpu;
	uint64_t memory_bytes, huge_page_bytes; /* 0: no huge pages */
	struct {
		const char *file, *bus, *cache, *io;
		uint64_t size_bytes;
		unsigned iothreads;
	} disk;
	struct {
		const char *model, *network, *bridge;
		unsigned queues;
	} nic;
	struct mkv_contract_strings
		timers; /* the promised ones of hpet, kvmclock */
};

struct mkv_contract_host {
	const char *name, *image, *role, *address, *mac;
	const char *tpm_key; /* SHA-256 of its TPM's SubjectPublicKeyInfo */
	struct mkv_contract_strings containers;
	struct mkv_contract_strings guests; /* hosts that run on this one */
	struct mkv_contract_hypervisor hypervisor; /* of a guest: its domain */
};

enum mkv_contract_platform {
	MKV_PLATFORM_METAL,
	MKV_PLATFORM_GUEST,
	MKV_PLATFORM_HYPERVISOR,
};

struct mkv_contract_kernel {
	const char *package, *version, *release;
	const char *initramfs_sha256; /* of the initramfs */
	bool has_command_line;
	struct mkv_contract_strings command_line;
};

struct mkv_contract_cpu {
	const char *vendor, *brand;
	int family, model, stepping; /* as displayed; -1 */
	struct mkv_contract_strings features;
	int hypervisor; /* 0, 1; -1 */
	const char *hypervisor_signature;
	unsigned sockets, cores,
		threads; /* cores of a socket, threads of a core */
};

struct mkv_contract_cache {
	unsigned level;
	const char *type;    /* "data", "instruction", "unified" */
	uint64_t size_bytes; /* of one instance */
	unsigned ways;	     /* 0 */
	unsigned line_bytes; /* 0 */
	unsigned shared_by;  /* hardware threads of one instance; 0 */
	unsigned instances;  /* of the whole machine; 0 */
};

struct mkv_contract_memory {
	bool promised;
	uint64_t bytes;	     /* of DIMMs or of the guest's definition; 0 */
	unsigned numa_nodes; /* 0 */
	uint64_t huge_page_bytes;
	int64_t huge_pages; /* -1 */
};

struct mkv_contract_package {
	const char *name, *version, *architecture;
};

struct mkv_contract_files {
	const char *list; /* absolute path; NULL */
	struct mkv_sha256 sha256;
	uint64_t count;
};

struct mkv_contract_network {
	const char *name, *driver, *subnet;
};

struct mkv_contract_mount {
	const char *volume, *path;
};

struct mkv_contract_container {
	const char *name, *image, *network;
	struct mkv_contract_mount *mounts;
	size_t n_mounts;
	struct mkv_contract_strings roles; /* empty: all */
	struct mkv_contract_strings ports; /* "8080:8080/tcp" */
	struct mkv_contract_pairs environment;
};

struct mkv_contract_docker {
	bool promised;
	const char *version, *storage_driver;
	struct mkv_contract_network *networks;
	size_t n_networks;
	struct mkv_contract_strings volumes;
	struct mkv_contract_container *containers;
	size_t n_containers;
};

struct mkv_contract_image {
	const char *name;
	enum mkv_contract_platform platform;
	struct mkv_contract_kernel kernel;
	struct mkv_contract_cpu cpu;
	struct mkv_contract_cache *caches;
	size_t n_caches;
	struct mkv_contract_memory memory;
	struct mkv_contract_strings clocksources;
	struct mkv_contract_package *packages;
	size_t n_packages;
	struct mkv_contract_files files;
	struct mkv_contract_strings units_enabled, units_masked;
	struct mkv_contract_pairs sysctls;
	struct mkv_contract_pairs interfaces; /* name -> purpose: "vlan", ... */
	struct mkv_contract_pairs settings;   /* see docs/CONTRACT.md */
	struct mkv_contract_docker docker;
};

struct mkv_contract_layer {
	const char *digest, *diff_id;
};
struct mkv_contract_oci {
	const char *name, *manifest, *config;
	struct mkv_contract_layer *layers;
	size_t n_layers;
};

/* Settings of a program of the application. */
struct mkv_contract_service {
	const char *name; /* "order" */
	struct mkv_contract_pairs settings;
};

/* An HTTP request of the load; `path`, `body` and the values of `headers` are
 * templates (lib/template.h). */
struct mkv_contract_request {
	const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
	const char *role;   /* of the host that receives it */
	unsigned port;
	const char *path; /* "/orders/create/id/{user}" */
	const char *body; /* NULL: none */
	unsigned status;  /* any other status is a failure */
	struct mkv_contract_pairs headers;
};

/* A value that counts from 1 to `count`, again and again. */
struct mkv_contract_field {
	const char *name;
	unsigned count;
};

/* A service that the experiment cleans up, varies and restarts. */
struct mkv_contract_experiment_service {
	const char *name;
	const char *role; /* of the host that runs it */
	const char *unit; /* not of a host that runs a container of that name */
	unsigned port;	  /* of `health` and of /metrics */
	const char *health; /* path whose answer to GET must be 200 */
	struct mkv_contract_strings clean_up; /* argv; empty: none */
	struct mkv_contract_strings vary;     /* settings, without MKVBENCH_ */
	bool has_spans; /* /metrics has mkvbench_spans_total */
};

enum {
	MKV_EXPERIMENT_RATE_MAX = 100000,
	MKV_EXPERIMENT_CONNECTIONS_MAX = 4096,
	MKV_EXPERIMENT_REQUESTS_MAX = 10000000,
	MKV_EXPERIMENT_BODY_MAX = 16384,
	MKV_EXPERIMENT_FIELD_MAX = 1000000000,
};
#define MKV_EXPERIMENT_TIMEOUT_MAX_NS (600 * INT64_C(1000000000))

struct mkv_contract_experiment {
	bool promised;
	struct mkv_contract_request request;
	struct mkv_contract_field *fields; /* sorted by name */
	size_t n_fields;
	unsigned rate;	      /* requests per second */
	const char *arrivals; /* "constant", "jittered", "poisson" */
	unsigned connections; /* maximum */
	int64_t timeout_ns;
	unsigned warm_up, measured;			  /* requests */
	struct mkv_contract_experiment_service *services; /* sorted by name */
	size_t n_services;
};

struct mkv_contract {
	const char *name;
	const char *scenario; /* one of the four */
	const char *suite;
	int64_t epoch_s;
	const char *recipe_sha256, *lock_sha256;
	const char *key_id;
	const char *hardware; /* the hardware contract's name */
	bool is_gate;	      /* false: warn */
	struct mkv_contract_acceptance *accept;
	size_t n_accept;
	bool has_clock;
	struct mkv_contract_clock clock;
	struct mkv_contract_vlan vlan;
	struct mkv_contract_host *hosts;
	size_t n_hosts;
	struct mkv_contract_image *images;
	size_t n_images;
	struct mkv_contract_oci *oci;
	size_t n_oci;
	struct mkv_contract_service *services;
	size_t n_services;
	struct mkv_contract_experiment experiment;
	json_t *document; /* owns the strings */
};

int mkv_contract_parse(const char *text, size_t size, struct mkv_contract **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* Reads a parsed document. The contract takes a reference to the document,
 * which must not be changed afterwards. */
int mkv_contract_from_json(json_t *document, struct mkv_contract **ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
void mkv_contract_free(struct mkv_contract *contract);
MKV_DEFINE_AUTO(contract, struct mkv_contract *, mkv_contract_free)
#define auto_contract mkv_auto(contract)

/* NULL when the contract has none of that name. */
const struct mkv_contract_host *
mkv_contract_find_host(const struct mkv_contract *contract, const char *name)
	mkv_nonnull(1, 2);
const struct mkv_contract_image *
mkv_contract_find_image(const struct mkv_contract *contract, const char *name)
	mkv_nonnull(1, 2);
/* The hypervisor host of a guest; NULL: none is promised. */
const struct mkv_contract_host *
mkv_contract_find_hypervisor_host(const struct mkv_contract *contract,
				  const char *guest) mkv_nonnull(1, 2);
const struct mkv_contract_oci *
mkv_contract_find_oci(const struct mkv_contract *contract, const char *name)
	mkv_nonnull(1, 2);
/* NULL when the experiment has no service of that name. */
const struct mkv_contract_experiment_service *
mkv_contract_find_experiment_service(const struct mkv_contract *contract,
				     const char *name) mkv_nonnull(1, 2);
/* The only host of a role; NULL if no host or more than one has the role. */
const struct mkv_contract_host *
mkv_contract_find_role(const struct mkv_contract *contract, const char *role)
	mkv_nonnull(1, 2);
bool mkv_contract_strings_have(const struct mkv_contract_strings *strings,
			       const char *word) mkv_nonnull(1, 2);
/* Reads a request (docs/CONTRACT.md) of this or another document; the caller
 * calls mkv_contract_request_done(), also after a mistake. */
void mkv_contract_read_request(struct mkv_json_reader *r, const json_t *object,
			       struct mkv_contract_request *ret)
	mkv_nonnull(1, 3);
void mkv_contract_request_done(struct mkv_contract_request *request)
	mkv_nonnull(1);
/* The fields of the experiment, for the request's path and body. */
int mkv_contract_template_fields(
	const struct mkv_contract_experiment *experiment,
	struct mkv_template_fields *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* "constant", "jittered" or "poisson", the member `arrivals`. */
const char *mkv_contract_read_arrivals(struct mkv_json_reader *r,
				       const json_t *object) mkv_nonnull(1);
/* Whether a name is valid for a setting: capital letters, digits, underscores.
 */
bool mkv_contract_is_setting(const char *name) mkv_nonnull(1);
/* Whether the load generator sets a header of this name itself. */
bool mkv_contract_is_own_header(const char *name) mkv_nonnull(1);
/* Records a mistake if the request is for a role that no single host has, or
 * uses a field that the experiment does not declare. */
void mkv_contract_check_request(struct mkv_json_reader *r,
				const struct mkv_contract *contract,
				const struct mkv_contract_request *request)
	mkv_nonnull(1, 2, 3);
/* "metal", "guest", "hypervisor" */
const char *mkv_contract_platform_name(enum mkv_contract_platform platform);

/* manifest.json: the contract and every file that the build wrote. */
struct mkv_manifest_artifact {
	const char *path; /* relative to the appliance's directory */
	struct mkv_sha256 sha256;
	uint64_t size_bytes;
};
struct mkv_manifest {
	struct mkv_contract *contract;
	struct mkv_manifest_artifact *artifacts; /* sorted by path */
	size_t n_artifacts;
	const char *tool_name, *tool_version;
	json_t *document;
};
int mkv_manifest_parse(const char *text, size_t size, struct mkv_manifest **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
void mkv_manifest_free(struct mkv_manifest *manifest);
MKV_DEFINE_AUTO(manifest, struct mkv_manifest *, mkv_manifest_free)
#define auto_manifest mkv_auto(manifest)

/* SPDX-License-Identifier: MIT */
#include "lib/contract.h"

#include <string.h>

#include "lib/contract_internal.h"

static void read_host(struct mkv_json_reader *r, const json_t *object,
		      struct mkv_contract_host *host)
{
	mkv_json_only(r, object,
		      (const char *const[]){"image", "role", "address", "mac",
					    "tpm_key", "containers", "guests",
					    "hypervisor", NULL});
	host->image = mkv_contract_read_name(r, object, "image", true);
	host->role = mkv_contract_read_name(r, object, "role", true);
	host->address = mkv_json_string(r, object, "address", false);
	host->mac = mkv_json_string(r, object, "mac", false);
	host->tpm_key =
		mkv_contract_read_hex(r, object, "tpm_key", false, NULL);
	host->containers = mkv_contract_read_strings(r, object, "containers");
	host->guests = mkv_contract_read_strings(r, object, "guests");
	mkv_contract_read_hypervisor(r, object, &host->hypervisor);
}

static void read_layer(struct mkv_json_reader *r, const json_t *row,
		       struct mkv_contract_layer *layer)
{
	mkv_json_only(r, row, (const char *const[]){"digest", "diff_id", NULL});
	layer->digest = mkv_contract_read_digest(r, row, "digest");
	layer->diff_id = mkv_contract_read_digest(r, row, "diff_id");
}

static void read_service(struct mkv_json_reader *r, const json_t *object,
			 struct mkv_contract_service *service)
{
	mkv_json_only(r, object, (const char *const[]){"settings", NULL});
	service->settings = mkv_contract_read_pairs(r, object, "settings");
}

static void read_oci(struct mkv_json_reader *r, const json_t *object,
		     struct mkv_contract_oci *oci)
{
	mkv_json_only(
		r, object,
		(const char *const[]){"manifest", "config", "layers", NULL});
	oci->manifest = mkv_contract_read_digest(r, object, "manifest");
	oci->config = mkv_contract_read_digest(r, object, "config");
	MKV_READ_ROWS(r, object, "layers", read_layer, oci->layers,
		      oci->n_layers);
}

static void read_acceptance(struct mkv_json_reader *r, const json_t *row,
			    struct mkv_contract_acceptance *accept)
{
	mkv_json_only(r, row, (const char *const[]){"check", "reason", NULL});
	accept->check = mkv_contract_read_name(r, row, "check", true);
	accept->reason = mkv_json_string(r, row, "reason", true);
	if (accept->reason && accept->reason[0] == '\0')
		mkv_json_mistake(r, "reason", "is empty");
}

static void read_verify(struct mkv_json_reader *r, const json_t *root,
			struct mkv_contract *contract)
{
	contract->is_gate = true;
	json_t *object = mkv_json_member(r, root, "verify", JSON_OBJECT, true);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "verify");
	mkv_json_only(r, object, (const char *const[]){"mode", "accept", NULL});
	const char *mode = mkv_contract_read_word(
		r, object, "mode", (const char *const[]){"gate", "warn", NULL});
	contract->is_gate = !mode || strcmp(mode, "gate") == 0;
	MKV_READ_ROWS(r, object, "accept", read_acceptance, contract->accept,
		      contract->n_accept);
	mkv_json_leave(r, mark);
}

static void read_clock(struct mkv_json_reader *r, const json_t *root,
		       struct mkv_contract *contract)
{
	const int64_t hour_ns = 3600 * INT64_C(1000000000);
	json_t *object = mkv_json_member(r, root, "clock", JSON_OBJECT, false);
	if (!object)
		return;
	struct mkv_contract_clock *clock = &contract->clock;
	contract->has_clock = true;
	size_t mark = mkv_json_enter(r, "clock");
	mkv_json_only(r, object,
		      (const char *const[]){"server", "address", "upstream",
					    "limit_ns", "settle_ns", "dwell_ns",
					    NULL});
	clock->server = mkv_contract_read_name(r, object, "server", true);
	clock->address = mkv_json_string(r, object, "address", true);
	clock->upstream = mkv_contract_read_strings(r, object, "upstream");
	clock->limit_ns = mkv_json_integer(r, object, "limit_ns", 1,
					   INT64_C(1000000000), true, 0);
	clock->settle_ns =
		mkv_json_integer(r, object, "settle_ns", 0, hour_ns, true, 0);
	clock->dwell_ns =
		mkv_json_integer(r, object, "dwell_ns", 0, hour_ns, true, 0);
	mkv_json_leave(r, mark);
}

static void read_vlan(struct mkv_json_reader *r, const json_t *root,
		      struct mkv_contract_vlan *vlan)
{
	json_t *object = mkv_json_member(r, root, "vlan", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "vlan");
	mkv_json_only(
		r, object,
		(const char *const[]){"id", "subnet", "nic", "mtu", NULL});
	vlan->id =
		(unsigned)mkv_json_integer(r, object, "id", 1, 4094, true, 0);
	vlan->subnet = mkv_json_string(r, object, "subnet", true);
	vlan->nic = mkv_contract_read_unsigned(r, object, "nic", 64, false);
	vlan->mtu = mkv_contract_read_unsigned(r, object, "mtu", 65535, false);
	mkv_json_leave(r, mark);
}

static void read_head(struct mkv_json_reader *r, const json_t *root,
		      struct mkv_contract *contract)
{
	mkv_json_only(r, root,
		      (const char *const[]){
			      "mkvbench_contract", "name", "scenario", "suite",
			      "epoch", "recipe_sha256", "lock_sha256", "key",
			      "verify", "clock", "vlan", "hardware", "hosts",
			      "images", "oci", "services", "experiment", NULL});
	(void)mkv_json_integer(r, root, "mkvbench_contract", 1, 1, true, 0);
	contract->name = mkv_contract_read_name(r, root, "name", true);
	contract->scenario = mkv_contract_read_word(
		r, root, "scenario",
		(const char *const[]){"bare-metal", "docker", "kvm",
				      "kvm-docker", NULL});
	contract->suite = mkv_json_string(r, root, "suite", false);
	contract->epoch_s =
		mkv_json_integer(r, root, "epoch", 0, INT64_MAX, false, 0);
	contract->recipe_sha256 =
		mkv_contract_read_hex(r, root, "recipe_sha256", false, NULL);
	contract->lock_sha256 =
		mkv_contract_read_hex(r, root, "lock_sha256", false, NULL);
	json_t *key = mkv_json_member(r, root, "key", JSON_OBJECT, false);
	if (key) {
		size_t mark = mkv_json_enter(r, "key");
		mkv_json_only(r, key,
			      (const char *const[]){"algorithm", "id", NULL});
		(void)mkv_contract_read_word(
			r, key, "algorithm",
			(const char *const[]){"ed25519", NULL});
		contract->key_id =
			mkv_contract_read_hex(r, key, "id", true, NULL);
		mkv_json_leave(r, mark);
	}
	json_t *hardware =
		mkv_json_member(r, root, "hardware", JSON_OBJECT, false);
	if (hardware) {
		size_t mark = mkv_json_enter(r, "hardware");
		mkv_json_only(r, hardware, (const char *const[]){"name", NULL});
		contract->hardware =
			mkv_contract_read_name(r, hardware, "name", true);
		mkv_json_leave(r, mark);
	}
}

/* A guest has at most one hypervisor host, and all guests use one libvirt
 * network and bridge, because there is one private VLAN. */
static void check_guests(struct mkv_json_reader *r,
			 const struct mkv_contract *contract,
			 const struct mkv_contract_host *host)
{
	const struct mkv_contract_hypervisor *first = NULL;
	for (size_t i = 0; i < contract->n_hosts && !first; i++)
		if (contract->hosts[i].hypervisor.promised)
			first = &contract->hosts[i].hypervisor;
	if (host->hypervisor.promised && r->rc == 0 &&
	    (strcmp(host->hypervisor.nic.network, first->nic.network) != 0 ||
	     strcmp(host->hypervisor.nic.bridge, first->nic.bridge) != 0))
		mkv_json_mistake(r, "hosts",
				 "'%s' is not on the network and bridge of the "
				 "other guests",
				 host->name);
	for (size_t i = 0; i < host->guests.count && r->rc == 0; i++) {
		const char *name = host->guests.items[i];
		const struct mkv_contract_host *guest =
			mkv_contract_find_host(contract, name);
		if (!guest || !guest->hypervisor.promised)
			mkv_json_mistake(r, "hosts",
					 "'%s' runs '%s', which is not a guest",
					 host->name, name);
		else if (mkv_contract_find_hypervisor_host(contract, name) !=
			 host)
			mkv_json_mistake(r, "hosts",
					 "'%s' runs '%s', which already runs "
					 "on another host",
					 host->name, name);
	}
}

/* Checks that the hosts' and images' names that are used exist. */
static void check_references(struct mkv_json_reader *r,
			     const struct mkv_contract *contract)
{
	for (size_t i = 0; i < contract->n_hosts && r->rc == 0; i++) {
		const struct mkv_contract_host *host = &contract->hosts[i];
		if (!mkv_contract_find_image(contract, host->image))
			mkv_json_mistake(
				r, "hosts",
				"'%s' has image '%s', which is missing "
				"in images",
				host->name, host->image);
		check_guests(r, contract, host);
	}
	if (r->rc == 0 && contract->has_clock &&
	    !mkv_contract_find_host(contract, contract->clock.server))
		mkv_json_mistake(r, "clock.server",
				 "'%s' is not a host of the contract",
				 contract->clock.server);
}

int mkv_contract_from_json(json_t *document, struct mkv_contract **ret,
			   struct mkv_error *err)
{
	struct mkv_json_reader state;
	mkv_json_reader_init(&state, err);
	struct mkv_json_reader *r = &state;
	auto_contract struct mkv_contract *contract =
		calloc(1, sizeof(*contract));
	if (!contract)
		return mkv_oom(err);
	contract->document = json_incref(document);
	read_head(r, document, contract);
	read_verify(r, document, contract);
	read_clock(r, document, contract);
	read_vlan(r, document, &contract->vlan);
	MKV_READ_MAP(r, document, "hosts", true, read_host, contract->hosts,
		     contract->n_hosts);
	MKV_READ_MAP(r, document, "images", true, mkv_contract_read_image,
		     contract->images, contract->n_images);
	MKV_READ_MAP(r, document, "oci", false, read_oci, contract->oci,
		     contract->n_oci);
	MKV_READ_MAP(r, document, "services", false, read_service,
		     contract->services, contract->n_services);
	mkv_contract_read_experiment(r, document, &contract->experiment);
	check_references(r, contract);
	mkv_contract_check_experiment(r, contract);
	if (r->rc < 0)
		return mkv_wrap(err, r->rc, "contract");
	*ret = mkv_take(contract);
	return 0;
}

int mkv_contract_parse(const char *text, size_t size, struct mkv_contract **ret,
		       struct mkv_error *err)
{
	if (size > MKV_CONTRACT_LIMIT_BYTES)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"contract: %zu bytes are over the limit", size);
	auto_json json_t *document = NULL;
	int rc = mkv_json_load(text, size, &document, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "contract");
	return mkv_contract_from_json(document, ret, err);
}

static void free_host(struct mkv_contract_host *host)
{
	free(host->containers.items);
	free(host->guests.items);
	mkv_contract_free_hypervisor(&host->hypervisor);
}

void mkv_contract_free(struct mkv_contract *contract)
{
	if (!contract)
		return;
	for (size_t i = 0; i < contract->n_images; i++)
		mkv_contract_free_image(&contract->images[i]);
	for (size_t i = 0; i < contract->n_hosts; i++)
		free_host(&contract->hosts[i]);
	for (size_t i = 0; i < contract->n_oci; i++)
		free(contract->oci[i].layers);
	for (size_t i = 0; i < contract->n_services; i++)
		free(contract->services[i].settings.items);
	mkv_contract_free_experiment(&contract->experiment);
	free(contract->services);
	free(contract->images);
	free(contract->hosts);
	free(contract->oci);
	free(contract->accept);
	free(contract->clock.upstream.items);
	json_decref(contract->document);
	free(contract);
}

#define DEFINE_FIND(what, items, count)                                        \
	const struct mkv_contract_##what *mkv_contract_find_##what(            \
		const struct mkv_contract *contract, const char *name)         \
	{                                                                      \
		for (size_t i = 0; i < contract->count; i++)                   \
			if (strcmp(contract->items[i].name, name) == 0)        \
				return &contract->items[i];                    \
		return NULL;                                                   \
	}
DEFINE_FIND(host, hosts, n_hosts)
DEFINE_FIND(image, images, n_images)
DEFINE_FIND(oci, oci, n_oci)

const struct mkv_contract_host *
mkv_contract_find_hypervisor_host(const struct mkv_contract *contract,
				  const char *guest)
{
	for (size_t i = 0; i < contract->n_hosts; i++)
		if (mkv_contract_strings_have(&contract->hosts[i].guests,
					      guest))
			return &contract->hosts[i];
	return NULL;
}

bool mkv_contract_strings_have(const struct mkv_contract_strings *strings,
			       const char *word)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcmp(strings->items[i], word) == 0)
			return true;
	return false;
}

const char *mkv_contract_platform_name(enum mkv_contract_platform platform)
{
	switch (platform) {
	case MKV_PLATFORM_METAL:
		return "metal";
	case MKV_PLATFORM_GUEST:
		return "guest";
	case MKV_PLATFORM_HYPERVISOR:
		return "hypervisor";
	}
	return "?";
}

/* SPDX-License-Identifier: MIT */
#include "builder/evidence/contract/contract.h"

#include <string.h>

#include "builder/config/settings/settings.h"
#include "builder/evidence/contract/contract_internal.h"
#include "lib/json.h"

static json_t *verify_part(const struct mkv_recipe *recipe)
{
	json_t *part = json_object();
	put_string(part, "mode",
		   recipe->verify_mode == MKV_VERIFY_WARN ? "warn" : "gate");
	json_t *accept = json_array();
	for (size_t i = 0; i < recipe->n_accept; i++) {
		json_t *one = json_object();
		put_string(one, "check", recipe->accept[i].check);
		put_string(one, "reason", recipe->accept[i].reason);
		(void)json_array_append_new(accept, one);
	}
	put(part, "accept", accept);
	return part;
}

static const char *find_address(const struct mkv_recipe *recipe,
				const char *host)
{
	for (size_t i = 0; host && i < recipe->n_hosts; i++)
		if (strcmp(recipe->hosts[i].name, host) == 0)
			return recipe->hosts[i].address;
	return NULL;
}

static json_t *clock_part(const struct mkv_recipe *recipe)
{
	const struct mkv_time *time = &recipe->time;
	json_t *part = json_object();
	put_string(part, "server", time->server);
	put_string(part, "address", find_address(recipe, time->server));
	put(part, "upstream", strings(&time->upstream));
	put_integer(part, "limit_ns", time->limit_ns);
	put_integer(part, "settle_ns", time->settle_ns);
	put_integer(part, "dwell_ns", time->dwell_ns);
	return part;
}

static json_t *vlan_part(const struct mkv_vlan *vlan)
{
	json_t *part = json_object();
	put_integer(part, "id", vlan->id);
	put_string(part, "subnet", vlan->subnet);
	put_integer(part, "nic", vlan->nic);
	put_integer(part, "mtu", vlan->mtu);
	return part;
}

/* A host runs the containers of its image that are for its role, or for any. */
static json_t *containers_part(const struct mkv_recipe *recipe,
			       const struct mkv_host *host)
{
	const struct mkv_image *image = &recipe->images[host->image];
	json_t *array = json_array();
	for (size_t i = 0; i < recipe->n_containers; i++) {
		const struct mkv_container *one = &recipe->containers[i];
		if (mkv_strings_has(&image->containers, one->name) &&
		    (!one->roles.count ||
		     mkv_strings_has(&one->roles, host->role)))
			(void)json_array_append_new(array,
						    json_string(one->name));
	}
	return array;
}

static json_t *hosts_part(const struct mkv_contract_inputs *inputs)
{
	const struct mkv_recipe *recipe = inputs->recipe;
	json_t *part = json_object();
	for (size_t i = 0; i < recipe->n_hosts; i++) {
		const struct mkv_host *host = &recipe->hosts[i];
		json_t *one = json_object();
		put_string(one, "image", recipe->images[host->image].name);
		put_string(one, "role", host->role);
		put_string(one, "address", host->address);
		put_string(one, "mac", host->mac);
		put_string(one, "tpm_key", host->tpm_key);
		put(one, "containers", containers_part(recipe, host));
		if (host->guests.count)
			put(one, "guests", strings(&host->guests));
		if (recipe->has_hypervisor &&
		    recipe->images[host->image].platform == MKV_ON_KVM)
			put(one, "hypervisor",
			    mkv_contract_hypervisor(recipe, host,
						    inputs->domain_ids[i]));
		put(part, host->name, one);
	}
	return part;
}

static json_t *packages_part(const struct mkv_lock *lock, const char *image)
{
	char name[256];
	(void)snprintf(name, sizeof(name), "image/%s", image);
	const struct mkv_lock_set *set = mkv_lock_find_set(lock, name);
	auto_free bool *installed = calloc(
		lock->n_packages ? lock->n_packages : 1, sizeof(*installed));
	json_t *array = json_array();
	for (size_t i = 0; installed && set && i < set->count; i++)
		installed[set->packages[i]] = true;
	/* Sorted like the lock's packages; a set has another order. */
	for (size_t i = 0; installed && i < lock->n_packages; i++) {
		if (!installed[i])
			continue;
		json_t *one = json_object();
		put_string(one, "name", lock->packages[i].name);
		put_string(one, "version", lock->packages[i].version);
		put_string(one, "architecture", lock->packages[i].architecture);
		(void)json_array_append_new(array, one);
	}
	return array;
}

static json_t *kernel_part(const struct mkv_built_image *image)
{
	json_t *part = json_object();
	put_string(part, "package", image->kernel_package);
	put_string(part, "version", image->kernel_version);
	put_string(part, "release", image->kernel_release);
	put(part, "command_line", strings(&image->command_line));
	if (image->initramfs_sha256)
		put_sha256(part, "initramfs_sha256", image->initramfs_sha256,
			   "");
	return part;
}

static json_t *units_part(const struct mkv_built_image *built)
{
	json_t *part = json_object();
	put(part, "enabled", strings(&built->enabled));
	put(part, "masked", strings(&built->masked));
	return part;
}

static json_t *settings_part(const struct mkv_recipe *recipe,
			     const struct mkv_image *image)
{
	struct mkv_promise promises[MKV_PROMISES_MAX];
	size_t count = mkv_settings_promised(recipe, image, promises);
	json_t *part = json_object();
	for (size_t i = 0; i < count; i++)
		put_string(part, promises[i].key, promises[i].value);
	return part;
}

static json_t *files_part(const struct mkv_built_image *built)
{
	json_t *part = json_object();
	put_string(part, "list", "/usr/lib/mkvbench/files.list");
	put_sha256(part, "sha256", &built->files_sha256, "");
	put_integer(part, "count", (int64_t)built->files_count);
	return part;
}

static json_t *image_part(const struct mkv_contract_inputs *inputs, size_t at)
{
	static const char *const platforms[] = {
		[MKV_ON_METAL] = "metal",
		[MKV_ON_KVM] = "guest",
		[MKV_HYPERVISOR] = "hypervisor",
	};
	const struct mkv_image *image = &inputs->recipe->images[at];
	const struct mkv_built_image *built = &inputs->images[at];
	json_t *part = json_object();
	put_string(part, "platform", platforms[image->platform]);
	if (built->kernel_release)
		put(part, "kernel", kernel_part(built));
	mkv_contract_machine(inputs->recipe, image, part);
	put(part, "packages", packages_part(inputs->lock, image->name));
	put(part, "files", files_part(built));
	put(part, "units", units_part(built));
	put(part, "settings", settings_part(inputs->recipe, image));
	put(part, "sysctls", settings(&image->sysctls));
	json_t *interfaces = json_object();
	put_string(interfaces, "vlan0", "vlan");
	if (image->platform == MKV_HYPERVISOR)
		put_string(interfaces, inputs->recipe->hypervisor.bridge,
			   "bridge");
	put(part, "interfaces", interfaces);
	if (image->containers.count)
		put(part, "docker",
		    mkv_contract_docker(inputs->recipe, inputs->lock, image));
	return part;
}

static json_t *oci_part(const struct mkv_contract_inputs *inputs)
{
	json_t *part = json_object();
	for (size_t i = 0; i < inputs->n_oci; i++) {
		const struct mkv_built_oci *oci = &inputs->oci[i];
		json_t *one = json_object();
		put_sha256(one, "manifest", &oci->manifest, "sha256:");
		put_sha256(one, "config", &oci->config, "sha256:");
		json_t *layers = json_array();
		for (size_t j = 0; j < oci->n_layers; j++) {
			json_t *layer = json_object();
			put_sha256(layer, "digest", &oci->layers[j].digest,
				   "sha256:");
			put_sha256(layer, "diff_id", &oci->layers[j].diff_id,
				   "sha256:");
			(void)json_array_append_new(layers, layer);
		}
		put(one, "layers", layers);
		put(part, oci->name, one);
	}
	return part;
}

static json_t *services_part(const struct mkv_recipe *recipe)
{
	json_t *part = json_object();
	for (size_t i = 0; i < recipe->n_services; i++) {
		const struct mkv_service *service = &recipe->services[i];
		json_t *one = json_object();
		put(one, "settings", settings(&service->settings));
		put(part, service->name, one);
	}
	return part;
}

int mkv_contract_write(const struct mkv_contract_inputs *inputs,
		       struct mkv_buf *into, struct mkv_error *err)
{
	const struct mkv_recipe *recipe = inputs->recipe;
	auto_json json_t *root = json_object();
	if (!root)
		return mkv_oom(err);
	put_integer(root, "mkvbench_contract", 1);
	put_string(root, "name", recipe->name);
	put_string(root, "scenario", mkv_scenario_name(recipe->scenario));
	put_string(root, "suite", recipe->suite);
	put_integer(root, "epoch", inputs->lock->epoch_s);
	put_string(root, "recipe_sha256", recipe->sha256);
	put_sha256(root, "lock_sha256", inputs->lock_sha256, "");
	json_t *key = json_object();
	put_string(key, "algorithm", "ed25519");
	put_string(key, "id", inputs->key_id);
	put(root, "key", key);
	put(root, "verify", verify_part(recipe));
	put(root, "clock", clock_part(recipe));
	put(root, "vlan", vlan_part(&recipe->vlan));
	json_t *hardware = json_object();
	put_string(hardware, "name", recipe->hardware.name);
	put(root, "hardware", hardware);
	put(root, "hosts", hosts_part(inputs));
	json_t *images = json_object();
	for (size_t i = 0; i < recipe->n_images; i++)
		put(images, recipe->images[i].name, image_part(inputs, i));
	put(root, "images", images);
	put(root, "oci", oci_part(inputs));
	put(root, "services", services_part(recipe));
	if (recipe->has_experiment)
		put(root, "experiment",
		    mkv_contract_experiment(&recipe->experiment));
	return mkv_json_dump(root, into, err);
}

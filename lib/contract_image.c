/* SPDX-License-Identifier: MIT */
#include "lib/contract_internal.h"

#include <string.h>

#include "lib/hardware_limits.h"

static void read_kernel(struct mkv_json_reader *r, const json_t *image,
			struct mkv_contract_kernel *kernel)
{
	json_t *object =
		mkv_json_member(r, image, "kernel", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "kernel");
	mkv_json_only(r, object,
		      (const char *const[]){"package", "version", "release",
					    "command_line", "initramfs_sha256",
					    NULL});
	kernel->package = mkv_json_string(r, object, "package", false);
	kernel->version = mkv_json_string(r, object, "version", false);
	kernel->release = mkv_json_string(r, object, "release", false);
	kernel->initramfs_sha256 = mkv_contract_read_hex(
		r, object, "initramfs_sha256", false, NULL);
	kernel->has_command_line =
		json_object_get(object, "command_line") != NULL;
	kernel->command_line =
		mkv_contract_read_strings(r, object, "command_line");
	mkv_json_leave(r, mark);
}

static void read_cpu(struct mkv_json_reader *r, const json_t *image,
		     struct mkv_contract_cpu *cpu)
{
	cpu->family = cpu->model = cpu->stepping = cpu->hypervisor = -1;
	json_t *object = mkv_json_member(r, image, "cpu", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "cpu");
	mkv_json_only(r, object,
		      (const char *const[]){
			      "vendor", "family", "model", "stepping", "brand",
			      "features", "hypervisor", "hypervisor_signature",
			      "sockets", "cores", "threads", NULL});
	cpu->vendor = mkv_json_string(r, object, "vendor", false);
	cpu->brand = mkv_json_string(r, object, "brand", false);
	cpu->family = (int)mkv_json_integer(r, object, "family", 0,
					    MKV_CPU_FAMILY_MAX, false, -1);
	cpu->model = (int)mkv_json_integer(r, object, "model", 0,
					   MKV_CPU_MODEL_MAX, false, -1);
	cpu->stepping = (int)mkv_json_integer(r, object, "stepping", 0,
					      MKV_CPU_STEPPING_MAX, false, -1);
	cpu->features = mkv_contract_read_strings(r, object, "features");
	cpu->hypervisor = mkv_json_boolean(r, object, "hypervisor");
	cpu->hypervisor_signature =
		mkv_json_string(r, object, "hypervisor_signature", false);
	cpu->sockets = mkv_contract_read_unsigned(r, object, "sockets",
						  MKV_CPU_SOCKETS_MAX, false);
	cpu->cores = mkv_contract_read_unsigned(r, object, "cores",
						MKV_CPU_CORES_MAX, false);
	cpu->threads = mkv_contract_read_unsigned(r, object, "threads",
						  MKV_CPU_THREADS_MAX, false);
	mkv_json_leave(r, mark);
}

static void read_cache(struct mkv_json_reader *r, const json_t *row,
		       struct mkv_contract_cache *cache)
{
	mkv_json_only(r, row,
		      (const char *const[]){"level", "type", "size", "ways",
					    "line", "shared_by", "instances",
					    NULL});
	cache->level =
		(unsigned)mkv_json_integer(r, row, "level", 1, 4, true, 0);
	cache->type = mkv_contract_read_word(
		r, row, "type",
		(const char *const[]){"data", "instruction", "unified", NULL});
	cache->size_bytes = (uint64_t)mkv_json_integer(r, row, "size", 1,
						       INT64_MAX, true, 0);
	cache->ways = mkv_contract_read_unsigned(r, row, "ways", 65536, false);
	cache->line_bytes =
		mkv_contract_read_unsigned(r, row, "line", 65536, false);
	cache->shared_by =
		mkv_contract_read_unsigned(r, row, "shared_by", 65536, false);
	cache->instances =
		mkv_contract_read_unsigned(r, row, "instances", 65536, false);
}

static void read_memory(struct mkv_json_reader *r, const json_t *image,
			struct mkv_contract_memory *memory)
{
	memory->huge_pages = -1;
	json_t *object =
		mkv_json_member(r, image, "memory", JSON_OBJECT, false);
	if (!object)
		return;
	memory->promised = true;
	size_t mark = mkv_json_enter(r, "memory");
	mkv_json_only(r, object,
		      (const char *const[]){"bytes", "numa_nodes",
					    "huge_page_bytes", "huge_pages",
					    NULL});
	memory->bytes = (uint64_t)mkv_json_integer(r, object, "bytes", 0,
						   INT64_MAX, false, 0);
	memory->numa_nodes = mkv_contract_read_unsigned(
		r, object, "numa_nodes", MKV_NUMA_NODES_MAX, false);
	memory->huge_page_bytes = (uint64_t)mkv_json_integer(
		r, object, "huge_page_bytes", 0, INT64_MAX, false, 0);
	memory->huge_pages = mkv_json_integer(r, object, "huge_pages", 0,
					      INT64_MAX, false, -1);
	mkv_json_leave(r, mark);
}

static void read_package(struct mkv_json_reader *r, const json_t *row,
			 struct mkv_contract_package *package)
{
	mkv_json_only(
		r, row,
		(const char *const[]){"name", "version", "architecture", NULL});
	package->name = mkv_contract_read_name(r, row, "name", true);
	package->version = mkv_json_string(r, row, "version", true);
	package->architecture = mkv_json_string(r, row, "architecture", true);
}

static void read_files(struct mkv_json_reader *r, const json_t *image,
		       struct mkv_contract_files *files)
{
	json_t *object = mkv_json_member(r, image, "files", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "files");
	mkv_json_only(r, object,
		      (const char *const[]){"list", "sha256", "count", NULL});
	files->list = mkv_json_string(r, object, "list", true);
	if (files->list && (files->list[0] != '/' ||
			    !mkv_contract_is_plain_path(files->list + 1)))
		mkv_json_mistake(r, "list",
				 "not an absolute path without '.' and '..'");
	(void)mkv_contract_read_hex(r, object, "sha256", true, &files->sha256);
	files->count = (uint64_t)mkv_json_integer(r, object, "count", 0,
						  100000000, false, 0);
	mkv_json_leave(r, mark);
}

static void read_units(struct mkv_json_reader *r, const json_t *image,
		       struct mkv_contract_image *into)
{
	json_t *object = mkv_json_member(r, image, "units", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "units");
	mkv_json_only(r, object,
		      (const char *const[]){"enabled", "masked", NULL});
	into->units_enabled = mkv_contract_read_strings(r, object, "enabled");
	into->units_masked = mkv_contract_read_strings(r, object, "masked");
	for (size_t i = 0; i < into->units_enabled.count; i++)
		if (!mkv_contract_is_name(into->units_enabled.items[i]))
			mkv_json_mistake(r, "enabled",
					 "not a valid name of a unit");
	for (size_t i = 0; i < into->units_masked.count; i++)
		if (!mkv_contract_is_name(into->units_masked.items[i]))
			mkv_json_mistake(r, "masked",
					 "not a valid name of a unit");
	mkv_json_leave(r, mark);
}

static void read_network(struct mkv_json_reader *r, const json_t *row,
			 struct mkv_contract_network *network)
{
	mkv_json_only(r, row,
		      (const char *const[]){"name", "driver", "subnet", NULL});
	network->name = mkv_contract_read_name(r, row, "name", true);
	network->driver = mkv_json_string(r, row, "driver", true);
	network->subnet = mkv_json_string(r, row, "subnet", false);
}

static void read_mount(struct mkv_json_reader *r, const json_t *row,
		       struct mkv_contract_mount *mount)
{
	mkv_json_only(r, row, (const char *const[]){"volume", "path", NULL});
	mount->volume = mkv_contract_read_name(r, row, "volume", true);
	mount->path = mkv_json_string(r, row, "path", true);
	if (mount->path && mount->path[0] != '/')
		mkv_json_mistake(r, "path", "not an absolute path");
}

static void read_container(struct mkv_json_reader *r, const json_t *row,
			   struct mkv_contract_container *container)
{
	mkv_json_only(r, row,
		      (const char *const[]){"name", "image", "network",
					    "mounts", "roles", "ports",
					    "environment", NULL});
	container->name = mkv_contract_read_name(r, row, "name", true);
	container->image = mkv_contract_read_name(r, row, "image", true);
	container->network = mkv_contract_read_name(r, row, "network", false);
	container->roles = mkv_contract_read_strings(r, row, "roles");
	container->ports = mkv_contract_read_strings(r, row, "ports");
	container->environment = mkv_contract_read_pairs(r, row, "environment");
	MKV_READ_ROWS(r, row, "mounts", read_mount, container->mounts,
		      container->n_mounts);
}

static void read_docker(struct mkv_json_reader *r, const json_t *image,
			struct mkv_contract_docker *docker)
{
	json_t *object =
		mkv_json_member(r, image, "docker", JSON_OBJECT, false);
	if (!object)
		return;
	docker->promised = true;
	size_t mark = mkv_json_enter(r, "docker");
	mkv_json_only(r, object,
		      (const char *const[]){"version", "storage_driver",
					    "networks", "volumes", "containers",
					    NULL});
	docker->version = mkv_json_string(r, object, "version", false);
	docker->storage_driver =
		mkv_json_string(r, object, "storage_driver", false);
	docker->volumes = mkv_contract_read_strings(r, object, "volumes");
	for (size_t i = 0; i < docker->volumes.count; i++)
		if (!mkv_contract_is_name(docker->volumes.items[i]))
			mkv_json_mistake(r, "volumes", "not a valid name");
	MKV_READ_ROWS(r, object, "networks", read_network, docker->networks,
		      docker->n_networks);
	MKV_READ_ROWS(r, object, "containers", read_container,
		      docker->containers, docker->n_containers);
	mkv_json_leave(r, mark);
}

void mkv_contract_read_image(struct mkv_json_reader *r, const json_t *object,
			     struct mkv_contract_image *image)
{
	static const char *const platforms[] = {"metal", "guest", "hypervisor",
						NULL};
	mkv_json_only(r, object,
		      (const char *const[]){"platform", "kernel", "cpu",
					    "caches", "memory", "clocksources",
					    "packages", "files", "units",
					    "sysctls", "interfaces", "settings",
					    "docker", NULL});
	const char *platform =
		mkv_contract_read_word(r, object, "platform", platforms);
	for (unsigned i = 0; platform && platforms[i]; i++)
		if (strcmp(platform, platforms[i]) == 0)
			image->platform = (enum mkv_contract_platform)i;
	read_kernel(r, object, &image->kernel);
	read_cpu(r, object, &image->cpu);
	MKV_READ_ROWS(r, object, "caches", read_cache, image->caches,
		      image->n_caches);
	read_memory(r, object, &image->memory);
	image->clocksources =
		mkv_contract_read_strings(r, object, "clocksources");
	MKV_READ_ROWS(r, object, "packages", read_package, image->packages,
		      image->n_packages);
	read_files(r, object, &image->files);
	read_units(r, object, image);
	image->sysctls = mkv_contract_read_pairs(r, object, "sysctls");
	image->interfaces = mkv_contract_read_pairs(r, object, "interfaces");
	image->settings = mkv_contract_read_pairs(r, object, "settings");
	read_docker(r, object, &image->docker);
}

void mkv_contract_free_image(struct mkv_contract_image *image)
{
	free(image->kernel.command_line.items);
	free(image->cpu.features.items);
	free(image->caches);
	free(image->clocksources.items);
	free(image->packages);
	free(image->units_enabled.items);
	free(image->units_masked.items);
	free(image->sysctls.items);
	free(image->interfaces.items);
	free(image->settings.items);
	free(image->docker.networks);
	free(image->docker.volumes.items);
	for (size_t i = 0; i < image->docker.n_containers; i++) {
		free(image->docker.containers[i].mounts);
		free(image->docker.containers[i].roles.items);
		free(image->docker.containers[i].ports.items);
		free(image->docker.containers[i].environment.items);
	}
	free(image->docker.containers);
}

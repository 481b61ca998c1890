/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/evidence/contract/contract_internal.h"

/* The upstream part of docker.io's version, which `docker version` prints. */
static json_t *docker_version(const struct mkv_lock *lock)
{
	for (size_t i = 0; i < lock->n_packages; i++)
		if (strcmp(lock->packages[i].name, "docker.io") == 0)
			return json_stringn(
				lock->packages[i].version,
				strcspn(lock->packages[i].version, "-"));
	return NULL;
}

static const struct mkv_container *
find_container(const struct mkv_recipe *recipe, const char *name)
{
	for (size_t i = 0; i < recipe->n_containers; i++)
		if (strcmp(recipe->containers[i].name, name) == 0)
			return &recipe->containers[i];
	return NULL;
}

static json_t *container_part(const struct mkv_container *c)
{
	json_t *part = json_object();
	put_string(part, "name", c->name);
	put_string(part, "image", c->oci);
	put_string(part, "network", c->network);
	json_t *mounts = json_array();
	for (size_t i = 0; i < c->n_mounts; i++) {
		json_t *one = json_object();
		put_string(one, "volume", c->mounts[i].volume);
		put_string(one, "path", c->mounts[i].path);
		(void)json_array_append_new(mounts, one);
	}
	put(part, "mounts", mounts);
	put(part, "ports", strings(&c->ports));
	put(part, "environment", settings(&c->environment));
	put(part, "roles", strings(&c->roles));
	return part;
}

/* Whether a container of the image is in `network`, or mounts `volume`. */
static bool is_used(const struct mkv_recipe *recipe,
		    const struct mkv_image *image, const char *network,
		    const char *volume)
{
	for (size_t i = 0; i < image->containers.count; i++) {
		const struct mkv_container *c =
			find_container(recipe, image->containers.items[i]);
		if (c && network && strcmp(c->network, network) == 0)
			return true;
		for (size_t j = 0; c && volume && j < c->n_mounts; j++)
			if (strcmp(c->mounts[j].volume, volume) == 0)
				return true;
	}
	return false;
}

json_t *mkv_contract_docker(const struct mkv_recipe *recipe,
			    const struct mkv_lock *lock,
			    const struct mkv_image *image)
{
	const struct mkv_docker *docker = &recipe->docker;
	json_t *part = json_object();
	put(part, "version", docker_version(lock));
	put_string(part, "storage_driver", docker->storage_driver);
	json_t *networks = json_array();
	if (docker->network.name &&
	    is_used(recipe, image, docker->network.name, NULL)) {
		json_t *one = json_object();
		put_string(one, "name", docker->network.name);
		put_string(one, "driver", docker->network.driver);
		put_string(one, "subnet", docker->network.subnet);
		(void)json_array_append_new(networks, one);
	}
	put(part, "networks", networks);
	json_t *volumes = json_array();
	for (size_t i = 0; i < docker->volumes.count; i++)
		if (is_used(recipe, image, NULL, docker->volumes.items[i]))
			(void)json_array_append_new(
				volumes, json_string(docker->volumes.items[i]));
	put(part, "volumes", volumes);
	json_t *containers = json_array();
	for (size_t i = 0; i < image->containers.count; i++) {
		const struct mkv_container *c =
			find_container(recipe, image->containers.items[i]);
		if (c)
			(void)json_array_append_new(containers,
						    container_part(c));
	}
	put(part, "containers", containers);
	return part;
}

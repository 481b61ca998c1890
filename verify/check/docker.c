/* SPDX-License-Identifier: MIT */
#include "verify/check/docker_internal.h"

#include <string.h>

#include "verify/probe/docker.h"

const char *mkv_docker_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_t *mkv_docker_request(const struct mkv_env *env, struct mkv_answer *answer,
			   const char *what, const char *path)
{
	json_t *json = NULL;
	struct mkv_error err;
	int rc = mkv_docker_get(env->docker_socket, path, &json, &err);
	bool gone = rc == -ECONNREFUSED && env->phase != MKV_PHASE_BOOT;
	if (rc == -ENOENT)
		mkv_answer_add(answer, MKV_FAIL, what, path, "present",
			       "missing");
	else if (rc < 0)
		mkv_answer_add(answer, gone ? MKV_FAIL : MKV_NOT_ESTABLISHED,
			       what, path, "a response of dockerd",
			       err.message);
	return rc < 0 ? NULL : json;
}

void mkv_check_docker_engine(const struct mkv_env *env,
			     struct mkv_answer *answer)
{
	const struct mkv_contract_docker *docker = &env->image->docker;
	if (!docker->promised)
		return;
	auto_json json_t *version =
		mkv_docker_request(env, answer, "version", "/version");
	if (version)
		mkv_answer_compare(answer, "version", "GET /version",
				   docker->version,
				   mkv_docker_text(version, "Version"));
	auto_json json_t *info =
		mkv_docker_request(env, answer, "engine", "/info");
	if (!info)
		return;
	mkv_answer_compare(answer, "storage driver", "GET /info Driver",
			   docker->storage_driver,
			   mkv_docker_text(info, "Driver"));
	mkv_answer_add(answer, MKV_NOT_PROMISED, "data root",
		       "GET /info DockerRootDir", NULL,
		       mkv_docker_text(info, "DockerRootDir"));
	mkv_answer_add(answer, MKV_NOT_PROMISED, "cgroup driver",
		       "GET /info CgroupDriver", NULL,
		       mkv_docker_text(info, "CgroupDriver"));
}

static const char *subnet_of(const json_t *network)
{
	const json_t *ipam = json_object_get(network, "IPAM");
	const json_t *config = json_object_get(ipam, "Config");
	return json_array_size(config) == 1
		       ? mkv_docker_text(json_array_get(config, 0), "Subnet")
		       : NULL;
}

void mkv_check_docker_networks(const struct mkv_env *env,
			       struct mkv_answer *answer)
{
	const struct mkv_contract_docker *docker = &env->image->docker;
	for (size_t i = 0; i < docker->n_networks; i++) {
		const struct mkv_contract_network *network =
			&docker->networks[i];
		char path[192], what[192];
		(void)snprintf(path, sizeof(path), "/networks/%s",
			       network->name);
		(void)snprintf(what, sizeof(what), "network %s", network->name);
		auto_json json_t *json =
			mkv_docker_request(env, answer, what, path);
		if (!json)
			continue;
		(void)snprintf(what, sizeof(what), "driver of %s",
			       network->name);
		mkv_answer_compare(answer, what, path, network->driver,
				   mkv_docker_text(json, "Driver"));
		(void)snprintf(what, sizeof(what), "subnet of %s",
			       network->name);
		mkv_answer_compare(answer, what, path, network->subnet,
				   subnet_of(json));
	}
}

bool mkv_docker_is_disk(const char *type)
{
	/* What isn't known to lie on a disk of this machine doesn't. */
	static const char *const known[] = {"ext4", "ext3",  "ext2",
					    "xfs",  "btrfs", "f2fs",
					    "zfs",  "jfs",   "bcachefs"};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(type, known[i]) == 0)
			return true;
	return false;
}

static void check_mount_point(const char *mounts, const json_t *volume,
			      struct mkv_answer *answer, const char *what)
{
	static const char source[] = "/proc/self/mountinfo";
	const char *place = mkv_docker_text(volume, "Mountpoint");
	char type[32];
	if (!place || place[0] != '/' || !mounts ||
	    !mkv_mount_type(mounts, place, type, NULL))
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, what, source,
			       MKV_DOCKER_DISK, place);
	else
		mkv_answer_say(answer,
			       mkv_docker_is_disk(type) ? MKV_PASS : MKV_FAIL,
			       what, source, MKV_DOCKER_DISK, "%s, on %s",
			       place, type);
}

void mkv_check_docker_volumes(const struct mkv_env *env,
			      struct mkv_answer *answer)
{
	const struct mkv_contract_strings *volumes =
		&env->image->docker.volumes;
	auto_free char *mounts = mkv_env_read(env, "/proc/self/mountinfo");
	for (size_t i = 0; i < volumes->count; i++) {
		const char *name = volumes->items[i];
		char path[192], what[192];
		(void)snprintf(path, sizeof(path), "/volumes/%s", name);
		(void)snprintf(what, sizeof(what), "volume %s", name);
		auto_json json_t *json =
			mkv_docker_request(env, answer, what, path);
		if (!json)
			continue;
		mkv_answer_compare(answer, what, path, "local",
				   mkv_docker_text(json, "Driver"));
		/* With options the driver `local` mounts a tmpfs, a network
		 * share or another disk. */
		(void)snprintf(what, sizeof(what), "options of %s", name);
		mkv_answer_number(answer, what, path, 0,
				  (int64_t)json_object_size(
					  json_object_get(json, "Options")));
		(void)snprintf(what, sizeof(what), "volume %s", name);
		check_mount_point(mounts, json, answer, what);
	}
}

static void check_layers(const struct mkv_contract_oci *oci, const json_t *json,
			 struct mkv_answer *answer, const char *what,
			 const char *path)
{
	const json_t *layers =
		json_object_get(json_object_get(json, "RootFS"), "Layers");
	if (oci->n_layers == 0)
		return;
	size_t alike = 0;
	while (alike < oci->n_layers && alike < json_array_size(layers) &&
	       json_is_string(json_array_get(layers, alike)) &&
	       strcmp(json_string_value(json_array_get(layers, alike)),
		      oci->layers[alike].diff_id) == 0)
		alike++;
	bool all = alike == oci->n_layers && alike == json_array_size(layers);
	char expected[48];
	(void)snprintf(expected, sizeof(expected), "the %zu layers promised",
		       oci->n_layers);
	mkv_answer_say(answer, all ? MKV_PASS : MKV_FAIL, what, path, expected,
		       all ? "%zu layers, each diffID equal"
			   : "only the first %zu are equal",
		       alike);
}

void mkv_check_docker_images(const struct mkv_env *env,
			     struct mkv_answer *answer)
{
	const struct mkv_contract_docker *docker = &env->image->docker;
	for (size_t i = 0; i < docker->n_containers; i++) {
		const struct mkv_contract_container *container =
			&docker->containers[i];
		if (!mkv_env_runs(env, container))
			continue;
		const struct mkv_contract_oci *oci =
			mkv_contract_find_oci(env->contract, container->image);
		char path[192], what[192];
		(void)snprintf(what, sizeof(what), "image %s",
			       container->image);
		if (!oci) {
			mkv_answer_add(answer, MKV_NOT_ESTABLISHED, what,
				       "contract", "a digest", NULL);
			continue;
		}
		/* The id of an image is the digest of its configuration. */
		(void)snprintf(path, sizeof(path), "/images/%s/json",
			       oci->config);
		auto_json json_t *json =
			mkv_docker_request(env, answer, what, path);
		if (!json)
			continue;
		mkv_answer_compare(answer, what, path, oci->config,
				   mkv_docker_text(json, "Id"));
		check_layers(oci, json, answer, what, path);
	}
}

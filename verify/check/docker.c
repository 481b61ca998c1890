/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <limits.h>
#include <string.h>

#include "verify/docker.h"

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* The API's answer; NULL after recording why there is none. */
static json_t *ask(const struct mkv_env *env, struct mkv_answer *answer,
		   const char *what, const char *path)
{
	json_t *json = NULL;
	struct mkv_error err;
	int rc = mkv_docker_get(env->docker_socket, path, &json, &err);
	if (rc == -ENOENT && strstr(err.message, "HTTP status 404"))
		mkv_answer_add(answer, MKV_FAIL, what, path, "there",
			       "not there");
	else if (rc < 0)
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, what, path,
			       "an answer of dockerd", err.message);
	return rc < 0 ? NULL : json;
}

void mkv_check_docker_engine(const struct mkv_env *env,
			     struct mkv_answer *answer)
{
	const struct mkv_contract_docker *docker = &env->image->docker;
	if (!docker->promised)
		return;
	auto_json json_t *version = ask(env, answer, "version", "/version");
	if (version)
		mkv_answer_compare(answer, "version", "GET /version",
				   docker->version, text(version, "Version"));
	auto_json json_t *info = ask(env, answer, "engine", "/info");
	if (!info)
		return;
	mkv_answer_compare(answer, "storage driver", "GET /info Driver",
			   docker->storage_driver, text(info, "Driver"));
	mkv_answer_add(answer, MKV_NOT_PROMISED, "data root",
		       "GET /info DockerRootDir", NULL,
		       text(info, "DockerRootDir"));
	mkv_answer_add(answer, MKV_NOT_PROMISED, "cgroup driver",
		       "GET /info CgroupDriver", NULL,
		       text(info, "CgroupDriver"));
}

static const char *subnet_of(const json_t *network)
{
	const json_t *ipam = json_object_get(network, "IPAM");
	const json_t *config = json_object_get(ipam, "Config");
	return json_array_size(config) == 1
		       ? text(json_array_get(config, 0), "Subnet")
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
		auto_json json_t *json = ask(env, answer, what, path);
		if (!json)
			continue;
		(void)snprintf(what, sizeof(what), "driver of %s",
			       network->name);
		mkv_answer_compare(answer, what, path, network->driver,
				   text(json, "Driver"));
		(void)snprintf(what, sizeof(what), "subnet of %s",
			       network->name);
		mkv_answer_compare(answer, what, path, network->subnet,
				   subnet_of(json));
	}
}

/* A file system of its own disk, not the image's layers and not memory. */
static bool is_for_data(const char *type)
{
	static const char *const bad[] = {"overlay", "aufs",   "tmpfs",
					  "ramfs",   "rootfs", "fuse-overlayfs",
					  "devtmpfs"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(type, bad[i]) == 0)
			return false;
	return true;
}

static const char not_overlay[] = "on a disk's file system, not on overlay";

void mkv_check_docker_volumes(const struct mkv_env *env,
			      struct mkv_answer *answer)
{
	const struct mkv_contract_strings *volumes =
		&env->image->docker.volumes;
	auto_free char *mounts = mkv_env_read(env, "/proc/self/mountinfo");
	for (size_t i = 0; i < volumes->count; i++) {
		const char *name = volumes->items[i];
		char path[192], what[192], type[32];
		(void)snprintf(path, sizeof(path), "/volumes/%s", name);
		(void)snprintf(what, sizeof(what), "volume %s", name);
		auto_json json_t *json = ask(env, answer, what, path);
		if (!json)
			continue;
		mkv_answer_compare(answer, what, path, "local",
				   text(json, "Driver"));
		const char *place = text(json, "Mountpoint");
		if (!place || place[0] != '/' || !mounts ||
		    !mkv_mount_type(mounts, place, type, NULL))
			mkv_answer_add(answer, MKV_NOT_ESTABLISHED, what,
				       "/proc/self/mountinfo", not_overlay,
				       place);
		else
			mkv_answer_say(answer,
				       is_for_data(type) ? MKV_PASS : MKV_FAIL,
				       what, "/proc/self/mountinfo",
				       not_overlay, "%s, on %s", place, type);
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
			   : "the first %zu are equal",
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
		/* dockerd names an image by its configuration's digest. */
		(void)snprintf(path, sizeof(path), "/images/%s/json",
			       oci->config);
		auto_json json_t *json = ask(env, answer, what, path);
		if (!json)
			continue;
		mkv_answer_compare(answer, what, path, oci->config,
				   text(json, "Id"));
		check_layers(oci, json, answer, what, path);
	}
}

static void check_mount(const struct mkv_env *env,
			const struct mkv_contract_mount *mount,
			const json_t *container, int64_t pid,
			struct mkv_answer *answer, const char *name)
{
	const json_t *mounts = json_object_get(container, "Mounts");
	char what[192], source[64], type[32], place[PATH_MAX];
	(void)snprintf(what, sizeof(what), "%s of %s", mount->path, name);
	const char *volume = "no volume";
	for (size_t i = 0; i < json_array_size(mounts); i++) {
		const json_t *one = json_array_get(mounts, i);
		const char *to = text(one, "Destination");
		const char *kind = text(one, "Type");
		if (to && kind && strcmp(to, mount->path) == 0)
			volume =
				strcmp(kind, "volume") == 0 && text(one, "Name")
					? text(one, "Name")
					: kind;
	}
	mkv_answer_compare(answer, what, "GET /containers Mounts",
			   mount->volume, volume);
	/* What the processes inside see is what counts. */
	(void)snprintf(source, sizeof(source), "/proc/%lld/mountinfo",
		       (long long)pid);
	auto_free char *table =
		pid > 0 ? mkv_env_read(env, "%s", source) : NULL;
	if (!table || !mkv_mount_type(table, mount->path, type, place))
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, what, source,
			       not_overlay, NULL);
	else
		mkv_answer_say(answer,
			       strcmp(place, mount->path) == 0 &&
					       is_for_data(type)
				       ? MKV_PASS
				       : MKV_FAIL,
			       what, source, not_overlay,
			       "mounted at %s, on %s", place, type);
}

static void check_container(const struct mkv_env *env,
			    const struct mkv_contract_container *wanted,
			    struct mkv_answer *answer)
{
	char path[192], what[192];
	(void)snprintf(path, sizeof(path), "/containers/%s/json", wanted->name);
	(void)snprintf(what, sizeof(what), "container %s", wanted->name);
	auto_json json_t *json = ask(env, answer, what, path);
	if (!json)
		return;
	const json_t *state = json_object_get(json, "State");
	bool running = json_is_true(json_object_get(state, "Running"));
	int64_t pid = json_integer_value(json_object_get(state, "Pid"));
	mkv_answer_compare(answer, what, path, "running",
			   running ? "running" : "not running");
	const struct mkv_contract_oci *oci =
		mkv_contract_find_oci(env->contract, wanted->image);
	(void)snprintf(what, sizeof(what), "image of %s", wanted->name);
	mkv_answer_add(
		answer,
		!oci || !text(json, "Image") ? MKV_NOT_ESTABLISHED
		: strcmp(oci->config, text(json, "Image")) == 0 ? MKV_PASS
								: MKV_FAIL,
		what, path, oci ? oci->config : NULL, text(json, "Image"));
	const json_t *networks = json_object_get(
		json_object_get(json, "NetworkSettings"), "Networks");
	(void)snprintf(what, sizeof(what), "network of %s", wanted->name);
	if (wanted->network)
		mkv_answer_compare(
			answer, what, path, wanted->network,
			json_object_size(networks) == 1
				? json_object_iter_key(
					  json_object_iter((json_t *)networks))
				: "not exactly one network");
	for (size_t i = 0; i < wanted->n_mounts; i++)
		check_mount(env, &wanted->mounts[i], json, running ? pid : 0,
			    answer, wanted->name);
}

/* Containers that run and that the contract doesn't name for this host. */
static void find_strangers(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char path[] = "/containers/json";
	const struct mkv_contract_docker *docker = &env->image->docker;
	auto_json json_t *list = ask(env, answer, "running containers", path);
	if (!list)
		return;
	size_t strangers = 0;
	for (size_t i = 0; i < json_array_size(list) && strangers < 8; i++) {
		const json_t *names =
			json_object_get(json_array_get(list, i), "Names");
		const char *name = json_string_value(json_array_get(names, 0));
		bool known = false;
		name = name && name[0] == '/' ? name + 1 : name;
		for (size_t j = 0; name && j < docker->n_containers; j++)
			known = known ||
				(strcmp(docker->containers[j].name, name) ==
					 0 &&
				 mkv_env_runs(env, &docker->containers[j]));
		if (known)
			continue;
		strangers++;
		mkv_answer_add(answer, MKV_FAIL, "running containers", path,
			       "only those of the contract",
			       name ? name : "one without a name");
	}
	if (strangers == 0)
		mkv_answer_say(answer, MKV_PASS, "running containers", path,
			       "only those of the contract", "%zu",
			       json_array_size(list));
}

void mkv_check_docker_containers(const struct mkv_env *env,
				 struct mkv_answer *answer)
{
	const struct mkv_contract_docker *docker = &env->image->docker;
	if (!docker->promised)
		return;
	if (env->phase == MKV_PHASE_BOOT) {
		/* They start behind the gate: until then none may run. */
		static const char path[] = "/containers/json";
		auto_json json_t *list =
			ask(env, answer, "running containers", path);
		if (list)
			mkv_answer_number(answer, "running before the gate",
					  path, 0,
					  (int64_t)json_array_size(list));
		return;
	}
	for (size_t i = 0; i < docker->n_containers; i++)
		if (mkv_env_runs(env, &docker->containers[i]))
			check_container(env, &docker->containers[i], answer);
	find_strangers(env, answer);
}

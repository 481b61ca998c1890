/* SPDX-License-Identifier: MIT */
/* The check docker-containers: each container runs as promised, and no other
 * runs. */
#include "verify/check/containers_internal.h"

#include <limits.h>
#include <string.h>

#include "verify/check/bridge.h"
#include "verify/probe/docker.h"

const char *mkv_container_what(const struct mkv_container_check *q,
			       const char *what, char ret[static 192])
{
	(void)snprintf(ret, 192, "%.60s of %.100s", what, q->wanted->name);
	return ret;
}

void mkv_container_compare(const struct mkv_container_check *q,
			   const char *what, const char *expected,
			   const char *observed)
{
	char name[192];
	(void)mkv_answer_compare(q->answer, mkv_container_what(q, what, name),
				 q->path, expected, observed);
}

static void check_image(const struct mkv_container_check *q)
{
	const struct mkv_contract_oci *oci =
		mkv_contract_find_oci(q->env->contract, q->wanted->image);
	const char *runs = mkv_docker_text(q->json, "Image");
	char what[192];
	mkv_answer_add(q->answer,
		       !oci || !runs			? MKV_NOT_ESTABLISHED
		       : strcmp(oci->config, runs) == 0 ? MKV_PASS
							: MKV_FAIL,
		       mkv_container_what(q, "image", what), q->path,
		       oci ? oci->config : NULL, runs);
}

/* The card with the endpoint's MAC address must be a port of the network's
 * bridge by the kernel: dockerd doesn't notice when it is moved. */
static void check_port(const struct mkv_container_check *q, const char *network,
		       const json_t *endpoint)
{
	char path[192], what[192], bridge[64], port[MKV_INTERFACE_SIZE];
	(void)snprintf(path, sizeof(path), "/networks/%s", network);
	(void)mkv_container_what(q, "port", what);
	auto_json json_t *json =
		mkv_docker_request(q->env, q->answer, what, path);
	const char *driver = json ? mkv_docker_text(json, "Driver") : NULL;
	const char *id = json ? mkv_docker_text(json, "Id") : NULL;
	const char *mac = mkv_docker_text(endpoint, "MacAddress");
	if (!json || (driver && strcmp(driver, "bridge") != 0))
		return;
	const char *name = mkv_docker_text(json_object_get(json, "Options"),
					   "com.docker.network.bridge.name");
	if (!driver || !mac || !*mac || !(name || id)) {
		mkv_answer_add(q->answer, MKV_NOT_ESTABLISHED, what, path,
			       "a bridge and a card's MAC address", NULL);
		return;
	}
	/* Docker's default name of a bridge. */
	(void)snprintf(bridge, sizeof(bridge), name ? "%.60s" : "br-%.12s",
		       name ? name : id);
	const char *why = NULL;
	enum mkv_result result =
		mkv_bridge_peer(q->env, q->pid, mac, port, &why);
	if (result == MKV_PASS)
		mkv_bridge_check_port(q->env, q->answer, what, bridge, port);
	else
		mkv_answer_add(q->answer, result, what,
			       "/proc/PID/root/sys/class/net", bridge, why);
}

static void check_network(const struct mkv_container_check *q)
{
	const json_t *networks = json_object_get(
		json_object_get(q->json, "NetworkSettings"), "Networks");
	const char *wanted = q->wanted->network ? q->wanted->network : "none";
	bool own = strcmp(wanted, "none") != 0 && strcmp(wanted, "host") != 0;
	mkv_container_compare(q, "network", wanted,
			      json_object_size(networks) == 1
				      ? json_object_iter_key(json_object_iter(
						(json_t *)networks))
				      : "not exactly one network");
	const json_t *endpoint = json_object_get(networks, wanted);
	if (own && endpoint && q->pid > 0)
		check_port(q, wanted, endpoint);
}

static const char *find_volume_at(const json_t *mounts, const char *path)
{
	const char *volume = "no volume";
	for (size_t i = 0; i < json_array_size(mounts); i++) {
		const json_t *one = json_array_get(mounts, i);
		const char *to = mkv_docker_text(one, "Destination");
		const char *kind = mkv_docker_text(one, "Type");
		const char *name = mkv_docker_text(one, "Name");
		if (to && kind && strcmp(to, path) == 0)
			volume = strcmp(kind, "volume") == 0 && name ? name
								     : kind;
	}
	return volume;
}

static void check_mount(const struct mkv_container_check *q,
			const struct mkv_contract_mount *mount)
{
	char what[192], source[64], type[32], place[PATH_MAX];
	(void)mkv_container_what(q, mount->path, what);
	mkv_answer_compare(q->answer, what, "GET /containers Mounts",
			   mount->volume,
			   find_volume_at(json_object_get(q->json, "Mounts"),
					  mount->path));
	/* The mount table of the processes inside is decisive. */
	(void)snprintf(source, sizeof(source), "/proc/%lld/mountinfo",
		       (long long)q->pid);
	auto_free char *table =
		q->pid > 0 ? mkv_env_read(q->env, "%s", source) : NULL;
	if (!table || !mkv_mount_type(table, mount->path, type, place))
		mkv_answer_add(q->answer, MKV_NOT_ESTABLISHED, what, source,
			       MKV_DOCKER_DISK, NULL);
	else
		mkv_answer_say(q->answer,
			       strcmp(place, mount->path) == 0 &&
					       mkv_docker_is_disk(type)
				       ? MKV_PASS
				       : MKV_FAIL,
			       what, source, MKV_DOCKER_DISK,
			       "mounted at %s, on %s", place, type);
}

static void check_container(const struct mkv_env *env,
			    const struct mkv_contract_container *wanted,
			    struct mkv_answer *answer)
{
	struct mkv_container_check q = {
		.env = env, .answer = answer, .wanted = wanted};
	char what[192];
	(void)snprintf(q.path, sizeof(q.path), "/containers/%s/json",
		       wanted->name);
	(void)snprintf(what, sizeof(what), "container %s", wanted->name);
	auto_json json_t *json = mkv_docker_request(env, answer, what, q.path);
	if (!json)
		return;
	q.json = json;
	/* "Running" is true for a paused container too. */
	const json_t *state = json_object_get(json, "State");
	if (mkv_answer_compare(answer, what, q.path, "running",
			       mkv_docker_text(state, "Status")) == MKV_PASS)
		q.pid = json_integer_value(json_object_get(state, "Pid"));
	check_image(&q);
	check_network(&q);
	mkv_container_check_settings(&q);
	for (size_t i = 0; i < wanted->n_mounts; i++)
		check_mount(&q, &wanted->mounts[i]);
}

/* The running containers; NULL after appending a finding with the reason. */
static json_t *ask_running(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char path[] = "/containers/json";
	json_t *list =
		mkv_docker_request(env, answer, "running containers", path);
	if (!list || json_is_array(list))
		return list;
	mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "running containers", path,
		       "a list", "another JSON value");
	json_decref(list);
	return NULL;
}

static bool is_promised_container(const struct mkv_env *env, const char *name)
{
	const struct mkv_contract_docker *docker = &env->image->docker;
	for (size_t i = 0; name && i < docker->n_containers; i++)
		if (strcmp(docker->containers[i].name, name) == 0 &&
		    mkv_env_runs(env, &docker->containers[i]))
			return true;
	return false;
}

/* Appends findings for running containers that the contract doesn't place on
 * this host. */
static void find_unknown_containers(const struct mkv_env *env,
				    struct mkv_answer *answer)
{
	static const char path[] = "/containers/json";
	auto_json json_t *list = ask_running(env, answer);
	if (!list)
		return;
	size_t strangers = 0;
	for (size_t i = 0; i < json_array_size(list) && strangers < 8; i++) {
		const json_t *names =
			json_object_get(json_array_get(list, i), "Names");
		const char *name = json_string_value(json_array_get(names, 0));
		name = name && name[0] == '/' ? name + 1 : name;
		if (is_promised_container(env, name))
			continue;
		strangers++;
		mkv_answer_add(answer, MKV_FAIL, "running containers", path,
			       "only those of the contract",
			       name ? name : "a container without a name");
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
		/* Containers start after the gate, so none may run yet. */
		auto_json json_t *list = ask_running(env, answer);
		if (list)
			mkv_answer_number(answer, "running before the gate",
					  "/containers/json", 0,
					  (int64_t)json_array_size(list));
		return;
	}
	for (size_t i = 0; i < docker->n_containers; i++)
		if (mkv_env_runs(env, &docker->containers[i]))
			check_container(env, &docker->containers[i], answer);
	find_unknown_containers(env, answer);
}

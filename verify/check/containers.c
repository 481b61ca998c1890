/* SPDX-License-Identifier: MIT */
/* The check docker-containers: each container runs as promised, and no other
 * runs. */
#include "verify/check/docker_internal.h"

#include <limits.h>
#include <string.h>

#include "verify/check/bridge.h"
#include "verify/probe/docker.h"

/* One container and dockerd's description of it. */
struct question {
	const struct mkv_env *env;
	struct mkv_answer *answer;
	const struct mkv_contract_container *wanted;
	const json_t *json;
	char path[192]; /* of the API */
	int64_t pid;	/* 0: not running */
};

/* "network of postgres" */
static const char *name_what(const struct question *q, const char *what,
			     char ret[static 192])
{
	(void)snprintf(ret, 192, "%.60s of %.100s", what, q->wanted->name);
	return ret;
}

static void compare_text(const struct question *q, const char *what,
			 const char *expected, const char *observed)
{
	char name[192];
	(void)mkv_answer_compare(q->answer, name_what(q, what, name), q->path,
				 expected, observed);
}

static void check_image(const struct question *q)
{
	const struct mkv_contract_oci *oci =
		mkv_contract_find_oci(q->env->contract, q->wanted->image);
	const char *runs = mkv_docker_text(q->json, "Image");
	char what[192];
	mkv_answer_add(q->answer,
		       !oci || !runs			? MKV_NOT_ESTABLISHED
		       : strcmp(oci->config, runs) == 0 ? MKV_PASS
							: MKV_FAIL,
		       name_what(q, "image", what), q->path,
		       oci ? oci->config : NULL, runs);
}

/* The card with the endpoint's MAC address must be a port of the network's
 * bridge by the kernel: dockerd doesn't notice when it is moved. */
static void check_port(const struct question *q, const char *network,
		       const json_t *endpoint)
{
	char path[192], what[192], bridge[64], port[MKV_INTERFACE_SIZE];
	(void)snprintf(path, sizeof(path), "/networks/%s", network);
	(void)name_what(q, "port", what);
	auto_json json_t *json = mkv_docker_ask(q->env, q->answer, what, path);
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
		mkv_bridge_ask(q->env, q->answer, what, bridge, port);
	else
		mkv_answer_add(q->answer, result, what,
			       "/proc/PID/root/sys/class/net", bridge, why);
}

static void check_network(const struct question *q)
{
	const json_t *networks = json_object_get(
		json_object_get(q->json, "NetworkSettings"), "Networks");
	const char *wanted = q->wanted->network ? q->wanted->network : "none";
	bool own = strcmp(wanted, "none") != 0 && strcmp(wanted, "host") != 0;
	compare_text(q, "network", wanted,
		     json_object_size(networks) == 1
			     ? json_object_iter_key(
				       json_object_iter((json_t *)networks))
			     : "not exactly one network");
	const json_t *endpoint = json_object_get(networks, wanted);
	if (own && endpoint && q->pid > 0)
		check_port(q, wanted, endpoint);
}

/* Splits "[ADDRESS:]PORT:CONTAINER-PORT[/PROTOCOL]" into dockerd's key of the
 * binding, "CONTAINER-PORT/PROTOCOL", and "ADDRESS:PORT". */
static void split_port(const char *text, char ret_key[static 32],
		       char ret_at[static 80])
{
	const char *colon = strrchr(text, ':');
	const char *inside = colon ? colon + 1 : text;
	int outside = colon ? (int)(colon - text) : 0;
	bool address = memchr(text, ':', (size_t)outside) != NULL;
	(void)snprintf(ret_key, 32, "%.20s%s", inside,
		       strchr(inside, '/') ? "" : "/tcp");
	(void)snprintf(ret_at, 80, "%s%.*s", address ? "" : ":",
		       outside < 64 ? outside : 64, text);
}

static bool has_binding(const json_t *bindings, const char *port)
{
	char key[32], at[80], seen[80];
	split_port(port, key, at);
	const json_t *list = json_object_get(bindings, key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const char *address = mkv_docker_text(one, "HostIp");
		const char *host = mkv_docker_text(one, "HostPort");
		(void)snprintf(seen, sizeof(seen), "%.64s:%.8s",
			       address ? address : "", host ? host : "");
		if (strcmp(seen, at) == 0)
			return true;
	}
	return false;
}

static void check_ports(const struct question *q, const json_t *host)
{
	const struct mkv_contract_strings *ports = &q->wanted->ports;
	json_t *bindings = json_object_get(host, "PortBindings");
	size_t count = 0, right = 0;
	char what[192], expected[48];
	const char *key;
	json_t *list;
	json_object_foreach(bindings, key, list) count += json_array_size(list);
	for (size_t i = 0; i < ports->count; i++)
		right += has_binding(bindings, ports->items[i]);
	(void)snprintf(expected, sizeof(expected), "the %zu promised",
		       ports->count);
	mkv_answer_say(q->answer,
		       count == ports->count && right == count ? MKV_PASS
							       : MKV_FAIL,
		       name_what(q, "published ports", what), q->path, expected,
		       "%zu, %zu of them promised", count, right);
}

/* The value of a variable; the last one counts. NULL: not set. */
static const char *find_variable(const json_t *list, const char *key)
{
	size_t length = strlen(key);
	const char *value = NULL;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));
		if (one && strncmp(one, key, length) == 0 && one[length] == '=')
			value = one + length + 1;
	}
	return value;
}

/* Variables of the image and of Docker itself are ignored. */
static void check_environment(const struct question *q)
{
	const json_t *list =
		json_object_get(json_object_get(q->json, "Config"), "Env");
	const struct mkv_contract_pairs *wanted = &q->wanted->environment;
	size_t wrong = 0;
	char what[192];
	for (size_t i = 0; i < wanted->count; i++) {
		const struct mkv_contract_pair *pair = &wanted->items[i];
		const char *value = find_variable(list, pair->key);
		if (value && strcmp(value, pair->value) == 0)
			continue;
		wrong++;
		compare_text(q, pair->key, pair->value,
			     value ? value : "not set");
	}
	if (wanted->count && !wrong)
		mkv_answer_say(q->answer, MKV_PASS,
			       name_what(q, "environment", what), q->path,
			       "the variables promised",
			       "%zu, each as promised", wanted->count);
}

/* True for an anonymous volume at a path that the image declares (VOLUME). */
static bool is_declared_by_image(const struct question *q, const json_t *mount,
				 const char *to)
{
	const struct mkv_contract_oci *oci =
		mkv_contract_find_oci(q->env->contract, q->wanted->image);
	const char *name = mkv_docker_text(mount, "Name");
	char path[192];
	auto_json json_t *json = NULL;
	struct mkv_error ignored;
	if (!oci || !name || strlen(name) != 64 ||
	    strspn(name, "0123456789abcdef") != 64)
		return false;
	(void)snprintf(path, sizeof(path), "/images/%s/json", oci->config);
	if (mkv_docker_get(q->env->docker_socket, path, &json, &ignored) < 0)
		return false;
	return json_object_get(json_object_get(json_object_get(json, "Config"),
					       "Volumes"),
			       to) != NULL;
}

static bool is_promised_mount(const struct question *q, const char *to)
{
	for (size_t i = 0; i < q->wanted->n_mounts; i++)
		if (strcmp(q->wanted->mounts[i].path, to) == 0)
			return true;
	return false;
}

/* Appends findings for mounts that are not promised, such as a directory of the
 * machine, a tmpfs, or a volume that outlives the run. */
static void check_other_mounts(const struct question *q, const json_t *host)
{
	const json_t *mounts = json_object_get(q->json, "Mounts");
	size_t strangers = json_object_size(json_object_get(host, "Tmpfs"));
	char what[192];
	(void)name_what(q, "other mounts", what);
	if (!json_is_array(mounts)) {
		mkv_answer_add(q->answer, MKV_NOT_ESTABLISHED, what, q->path,
			       "none", NULL);
		return;
	}
	if (strangers)
		mkv_answer_add(q->answer, MKV_FAIL, what, q->path, "none",
			       "a tmpfs");
	for (size_t i = 0; i < json_array_size(mounts) && strangers < 8; i++) {
		const json_t *one = json_array_get(mounts, i);
		const char *to = mkv_docker_text(one, "Destination");
		const char *kind = mkv_docker_text(one, "Type");
		if (to && (is_promised_mount(q, to) ||
			   (kind && strcmp(kind, "volume") == 0 &&
			    is_declared_by_image(q, one, to))))
			continue;
		strangers++;
		mkv_answer_say(q->answer, MKV_FAIL, what, q->path, "none",
			       "%s at %s", kind ? kind : "a mount",
			       to ? to : "an unknown path");
	}
	if (!strangers)
		mkv_answer_add(q->answer, MKV_PASS, what, q->path, "none",
			       "none");
}

/* A contract can't promise limits or privileges, so none may be set. */
static void check_limits(const struct question *q, const json_t *host)
{
	static const char *const numbers[] = {
		"NanoCpus",	     "CpuQuota",  "CpuPeriod",
		"CpuShares",	     "Memory",	  "MemorySwap",
		"MemoryReservation", "PidsLimit", "BlkioWeight"};
	static const char *const texts[] = {"CpusetCpus", "CpusetMems"};
	auto_buf struct mkv_buf set = {0};
	char what[192];
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (json_integer_value(json_object_get(host, numbers[i])))
			mkv_buf_printf(&set, "%s%s", set.size ? ", " : "",
				       numbers[i]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = mkv_docker_text(host, texts[i]);
		if (text && *text)
			mkv_buf_printf(&set, "%s%s %.32s", set.size ? ", " : "",
				       texts[i], text);
	}
	if (json_is_true(json_object_get(host, "Privileged")))
		mkv_buf_printf(&set, "%sPrivileged", set.size ? ", " : "");
	(void)mkv_answer_compare(q->answer, name_what(q, "limits", what),
				 q->path, "none",
				 set.failed ? NULL
				 : set.size ? set.data
					    : "none");
}

/* Settings of the container that don't come from its image. */
static void check_settings(const struct question *q)
{
	const json_t *host = json_object_get(q->json, "HostConfig");
	char what[192];
	check_environment(q);
	if (!json_is_object(host)) {
		mkv_answer_add(q->answer, MKV_NOT_ESTABLISHED,
			       name_what(q, "settings", what), q->path,
			       "HostConfig", NULL);
		return;
	}
	check_ports(q, host);
	check_limits(q, host);
	check_other_mounts(q, host);
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

static void check_mount(const struct question *q,
			const struct mkv_contract_mount *mount)
{
	char what[192], source[64], type[32], place[PATH_MAX];
	(void)name_what(q, mount->path, what);
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
	struct question q = {.env = env, .answer = answer, .wanted = wanted};
	char what[192];
	(void)snprintf(q.path, sizeof(q.path), "/containers/%s/json",
		       wanted->name);
	(void)snprintf(what, sizeof(what), "container %s", wanted->name);
	auto_json json_t *json = mkv_docker_ask(env, answer, what, q.path);
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
	check_settings(&q);
	for (size_t i = 0; i < wanted->n_mounts; i++)
		check_mount(&q, &wanted->mounts[i]);
}

/* The running containers; NULL after appending a finding with the reason. */
static json_t *ask_running(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char path[] = "/containers/json";
	json_t *list = mkv_docker_ask(env, answer, "running containers", path);
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

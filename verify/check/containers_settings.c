/* SPDX-License-Identifier: MIT */
/* Settings of a container other than image, network and volumes: ports,
 * variables, limits and other mounts. */
#include "verify/check/containers_internal.h"

#include <string.h>

#include "verify/probe/docker.h"

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

static void check_ports(const struct mkv_container_check *q, const json_t *host)
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
		       mkv_container_what(q, "published ports", what), q->path,
		       expected, "%zu, %zu of them promised", count, right);
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
static void check_environment(const struct mkv_container_check *q)
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
		mkv_container_compare(q, pair->key, pair->value,
				      value ? value : "not set");
	}
	if (wanted->count && !wrong)
		mkv_answer_say(q->answer, MKV_PASS,
			       mkv_container_what(q, "environment", what),
			       q->path, "the variables promised",
			       "%zu, each as promised", wanted->count);
}

/* True for an anonymous volume at a path that the image declares (VOLUME). */
static bool is_declared_by_image(const struct mkv_container_check *q,
				 const json_t *mount, const char *to)
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

static bool is_promised_mount(const struct mkv_container_check *q,
			      const char *to)
{
	for (size_t i = 0; i < q->wanted->n_mounts; i++)
		if (strcmp(q->wanted->mounts[i].path, to) == 0)
			return true;
	return false;
}

/* Appends findings for mounts that are not promised, such as a directory of the
 * machine, a tmpfs, or a volume that outlives the run. */
static void check_other_mounts(const struct mkv_container_check *q,
			       const json_t *host)
{
	const json_t *mounts = json_object_get(q->json, "Mounts");
	size_t strangers = json_object_size(json_object_get(host, "Tmpfs"));
	char what[192];
	(void)mkv_container_what(q, "other mounts", what);
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
static void check_limits(const struct mkv_container_check *q,
			 const json_t *host)
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
	(void)mkv_answer_compare(q->answer,
				 mkv_container_what(q, "limits", what), q->path,
				 "none",
				 set.failed ? NULL
				 : set.size ? set.data
					    : "none");
}

/* Settings of the container that don't come from its image. */
void mkv_container_check_settings(const struct mkv_container_check *q)
{
	const json_t *host = json_object_get(q->json, "HostConfig");
	char what[192];
	check_environment(q);
	if (!json_is_object(host)) {
		mkv_answer_add(q->answer, MKV_NOT_ESTABLISHED,
			       mkv_container_what(q, "settings", what), q->path,
			       "HostConfig", NULL);
		return;
	}
	check_ports(q, host);
	check_limits(q, host);
	check_other_mounts(q, host);
}

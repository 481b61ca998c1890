/* SPDX-License-Identifier: MIT */
#include "verify/check/bridge.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

bool mkv_bridge_is_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') &&
	       strlen(name) < MKV_INTERFACE_SIZE;
}

/* An interface, and how many match. */
struct card {
	int64_t index, link; /* ifindex, iflink; -1: unknown */
	unsigned found;
	char name[MKV_INTERFACE_SIZE];
};

static int64_t read_interface_number(const struct mkv_env *env, const char *net,
				     const char *name, const char *file)
{
	return mkv_env_read_number(env, "%s/%s/%s", net, name, file);
}

/* Finds interfaces with this MAC address or, if it is NULL, with this index.
 * False: the directory can't be read. */
static bool find_card(const struct mkv_env *env, const char *net,
		      const char *mac, int64_t index, struct card *ret)
{
	auto_free char *path = mkv_env_path(env, "%s", net);
	auto_dir DIR *dir = path ? opendir(path) : NULL;
	*ret = (struct card){-1, -1, 0, ""};
	if (!dir)
		return false;
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *name = entry->d_name;
		if (!mkv_bridge_is_name(name))
			continue;
		auto_free char *address =
			mac ? mkv_env_read(env, "%s/%s/address", net, name)
			    : NULL;
		int64_t own = read_interface_number(env, net, name, "ifindex");
		if (mac ? !address || strcasecmp(address, mac) != 0
			: own != index)
			continue;
		ret->found++;
		ret->index = own;
		ret->link = read_interface_number(env, net, name, "iflink");
		(void)snprintf(ret->name, sizeof(ret->name), "%.15s", name);
	}
	return true;
}

enum mkv_result mkv_bridge_peer(const struct mkv_env *env, int64_t pid,
				const char *mac,
				char ret[static MKV_INTERFACE_SIZE],
				const char **ret_why)
{
	char net[64];
	struct card inside, here;
	(void)snprintf(net, sizeof(net), "/proc/%lld/root/sys/class/net",
		       (long long)pid);
	/* The /sys of the process shows its network namespace. */
	if (!find_card(env, net, mac, -1, &inside)) {
		*ret_why = "the interfaces inside can't be read";
		return MKV_NOT_ESTABLISHED;
	}
	if (inside.found != 1) {
		*ret_why = inside.found ? "several cards with the MAC address"
					: "no card with the MAC address";
		return MKV_FAIL;
	}
	if (inside.index < 0 || inside.link < 0 ||
	    !find_card(env, "/sys/class/net", NULL, inside.link, &here)) {
		*ret_why = "the host's interfaces can't be read";
		return MKV_NOT_ESTABLISHED;
	}
	/* An index is unique in one network namespace only. The host's
	 * interface with the linked index must link back to the card. */
	if (here.found != 1 || here.link != inside.index) {
		*ret_why = "the peer of the card is not on this machine";
		return MKV_FAIL;
	}
	memcpy(ret, here.name, sizeof(here.name));
	return MKV_PASS;
}

static bool has_interface_file(const struct mkv_env *env, const char *name,
			       const char *file)
{
	auto_free char *path =
		mkv_env_path(env, "/sys/class/net/%s%s", name, file);
	return path && access(path, F_OK) == 0;
}

/* Why an interface is not a port of the bridge; NULL: unknown. */
static const char *find_absence_reason(const struct mkv_env *env,
				       const char *bridge, const char *port,
				       char master[static PATH_MAX])
{
	auto_free char *link =
		mkv_env_path(env, "/sys/class/net/%s/master", port);
	if (!link || !has_interface_file(env, ".", ""))
		return NULL;
	if (!has_interface_file(env, bridge, "/bridge"))
		return "no such bridge";
	if (!has_interface_file(env, port, ""))
		return "no such interface";
	ssize_t size = readlink(link, master, PATH_MAX - 1);
	if (size < 0)
		return errno == ENOENT ? "not on a bridge" : NULL;
	master[size] = '\0';
	const char *slash = strrchr(master, '/');
	return slash ? slash + 1 : master;
}

void mkv_bridge_check_port(const struct mkv_env *env, struct mkv_answer *answer,
			   const char *what, const char *bridge,
			   const char *port)
{
	/* if_bridge.h's BR_STATE_* */
	static const char *const states[] = {
		"a disabled port", "a listening port", "a learning port",
		"a forwarding port", "a blocked port"};
	enum { FORWARDING = 3, STATES = sizeof(states) / sizeof(states[0]) };
	char source[96], expected[64], master[PATH_MAX];
	if (!mkv_bridge_is_name(bridge) || !mkv_bridge_is_name(port)) {
		mkv_answer_say(answer, MKV_NOT_ESTABLISHED, what,
			       "/sys/class/net", "names of interfaces",
			       "'%.64s' and '%.64s'", bridge, port);
		return;
	}
	(void)snprintf(source, sizeof(source),
		       "/sys/class/net/%s/brif/%s/state", bridge, port);
	(void)snprintf(expected, sizeof(expected), "%s forwards on %s", port,
		       bridge);
	auto_free char *text = mkv_env_read(env, "%s", source);
	bool absent = !text && errno == ENOENT;
	int64_t state = mkv_env_read_number(env, "%s", source);
	if (absent) {
		const char *why =
			find_absence_reason(env, bridge, port, master);
		mkv_answer_add(answer, why ? MKV_FAIL : MKV_NOT_ESTABLISHED,
			       what, source, expected, why);
	} else if (state < 0 || state >= STATES) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, what, source,
			       expected, text);
	} else {
		mkv_answer_add(answer,
			       state == FORWARDING ? MKV_PASS : MKV_FAIL, what,
			       source, expected, states[state]);
	}
}

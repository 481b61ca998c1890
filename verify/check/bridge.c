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

/* How a walk over a network's interfaces ends. */
struct card {
	int64_t index, link; /* -1 */
	unsigned found;
	char name[MKV_INTERFACE_SIZE];
};

static int64_t number_of(const struct mkv_env *env, const char *net,
			 const char *name, const char *file)
{
	return mkv_env_read_number(env, "%s/%s/%s", net, name, file);
}

/* The interfaces with this MAC address, or, without one, with this index. False
 * when the folder can't be read. */
static bool find_card(const struct mkv_env *env, const char *net,
		      const char *mac, int64_t index, struct card *ret)
{
	auto_free char *folder = mkv_env_path(env, "%s", net);
	auto_dir DIR *dir = folder ? opendir(folder) : NULL;
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
		int64_t its = number_of(env, net, name, "ifindex");
		if (mac ? !address || strcasecmp(address, mac) != 0
			: its != index)
			continue;
		ret->found++;
		ret->index = its;
		ret->link = number_of(env, net, name, "iflink");
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
	/* Its own /sys shows its own network. */
	if (!find_card(env, net, mac, -1, &inside)) {
		*ret_why = "its interfaces can't be read";
		return MKV_NOT_ESTABLISHED;
	}
	if (inside.found != 1) {
		*ret_why = inside.found ? "several cards with its MAC address"
					: "no card with its MAC address";
		return MKV_FAIL;
	}
	if (inside.index < 0 || inside.link < 0 ||
	    !find_card(env, "/sys/class/net", NULL, inside.link, &here)) {
		*ret_why = "interfaces can't be read";
		return MKV_NOT_ESTABLISHED;
	}
	/* An index says something in its own network only: what has that number
	 * here must name the card in turn. */
	if (here.found != 1 || here.link != inside.index) {
		*ret_why = "its card's other end isn't on this machine";
		return MKV_FAIL;
	}
	memcpy(ret, here.name, sizeof(here.name));
	return MKV_PASS;
}

static bool is_there(const struct mkv_env *env, const char *name,
		     const char *file)
{
	auto_free char *path =
		mkv_env_path(env, "/sys/class/net/%s%s", name, file);
	return path && access(path, F_OK) == 0;
}

/* Why an interface isn't a port of the bridge; NULL when that can't be told. */
static const char *absence(const struct mkv_env *env, const char *bridge,
			   const char *port, char master[static PATH_MAX])
{
	auto_free char *link =
		mkv_env_path(env, "/sys/class/net/%s/master", port);
	if (!link || !is_there(env, ".", ""))
		return NULL;
	if (!is_there(env, bridge, "/bridge"))
		return "there is no such bridge";
	if (!is_there(env, port, ""))
		return "there is no such interface";
	ssize_t size = readlink(link, master, PATH_MAX - 1);
	if (size < 0)
		return errno == ENOENT ? "on no bridge" : NULL;
	master[size] = '\0';
	const char *slash = strrchr(master, '/');
	return slash ? slash + 1 : master;
}

void mkv_bridge_ask(const struct mkv_env *env, struct mkv_answer *answer,
		    const char *what, const char *bridge, const char *port)
{
	/* if_bridge.h's BR_STATE_* */
	static const char *const states[] = {
		"a port that is disabled", "a port that listens only",
		"a port that learns only", "a port that forwards",
		"a port that is blocked"};
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
		const char *why = absence(env, bridge, port, master);
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

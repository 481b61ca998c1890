/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <arpa/inet.h>
#include <string.h>

#include "verify/check/bridge.h"
#include "verify/probe/drivers.h"

/* The interface with this purpose; NULL: none. */
static const char *find_interface(const struct mkv_env *env,
				  const char *purpose)
{
	const struct mkv_contract_pairs *interfaces = &env->image->interfaces;
	for (size_t i = 0; i < interfaces->count; i++)
		if (strcmp(interfaces->items[i].value, purpose) == 0)
			return interfaces->items[i].key;
	return NULL;
}

void mkv_check_drivers(const struct mkv_env *env, struct mkv_answer *answer)
{
	auto_free char *disk = mkv_driver_of_root(env);
	mkv_answer_compare(answer, "root disk",
			   "/proc/self/mountinfo, /sys/dev/block",
			   mkv_env_setting(env, "disk_driver"), disk);
	const char *vlan = find_interface(env, "vlan");
	if (!vlan)
		return;
	auto_free char *nic = mkv_driver_of_interface(env, vlan);
	mkv_answer_compare(answer, "VLAN's NIC",
			   "/sys/class/net/*/device/driver",
			   mkv_env_setting(env, "nic_driver"), nic);
}

/* In fib_trie, a line "|-- ADDRESS" followed by "/32 host LOCAL" is an address
 * of this machine. */
static bool is_local_address(const char *trie, const char *address)
{
	char line[64];
	(void)snprintf(line, sizeof(line), "|-- %.40s\n", address);
	for (const char *at = strstr(trie, line); at;
	     at = strstr(at + 1, line)) {
		const char *next = strchr(at, '\n') + 1;
		size_t length = strcspn(next, "\n");
		if (memmem(next, length, "/32 host LOCAL", 14))
			return true;
	}
	return false;
}

/* Finds the interface of the direct route to exactly this subnet. */
static bool find_route(const char *table, const char *subnet,
		       char ret[static 32])
{
	char text[INET_ADDRSTRLEN] = "";
	unsigned bits = 33;
	struct in_addr net;
	if (sscanf(subnet, "%15[0-9.]/%2u", text, &bits) != 2 || bits > 32 ||
	    inet_pton(AF_INET, text, &net) != 1)
		return false;
	uint32_t mask = bits ? htonl(UINT32_MAX << (32 - bits)) : 0;
	for (const char *at = table; at;) {
		char name[32];
		uint32_t destination, gateway, its_mask;
		if (sscanf(at, "%31s %8x %8x %*x %*d %*d %*d %8x", name,
			   &destination, &gateway, &its_mask) == 4 &&
		    destination == net.s_addr && its_mask == mask &&
		    gateway == 0) {
			memcpy(ret, name, sizeof(name));
			return true;
		}
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return false;
}

/* The VLAN id in "vlan0 | 100 | eth1"; -1: none. */
static int64_t find_tag(const char *table, const char *interface)
{
	size_t length = strlen(interface);
	for (const char *at = table; at;) {
		unsigned id;
		if (strncmp(at, interface, length) == 0 &&
		    (at[length] == ' ' || at[length] == '|') &&
		    sscanf(at + length, " | %4u", &id) == 1)
			return id;
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return -1;
}

/* The bridge that has the VLAN's interface as a port, on a hypervisor; else
 * NULL.
 */
static const char *bridge_of_vlan(const struct mkv_env *env)
{
	return env->image->platform == MKV_PLATFORM_HYPERVISOR
		       ? find_interface(env, "bridge")
		       : NULL;
}

static void check_tag(const struct mkv_env *env, struct mkv_answer *answer,
		      const char *name)
{
	static const char source[] = "/proc/net/vlan/config";
	const struct mkv_contract_vlan *vlan = &env->contract->vlan;
	auto_free char *tags = mkv_env_read(env, source);
	int64_t tag = tags ? find_tag(tags, name) : -1;
	char expected[24];
	(void)snprintf(expected, sizeof(expected), "%u", vlan->id);
	/* A guest's card is on a bridge of the host's VLAN interface, so its
	 * packets have no tag. */
	if (env->image->platform == MKV_PLATFORM_GUEST || !vlan->id)
		mkv_answer_say(answer, MKV_NOT_PROMISED, "tag", source, NULL,
			       "%s", tag < 0 ? "untagged" : "tagged");
	else if (tags && tag < 0)
		mkv_answer_add(answer, MKV_FAIL, "tag", source, expected,
			       "untagged");
	else
		mkv_answer_number(answer, "tag", source, vlan->id, tag);
}

static void check_vlan(const struct mkv_env *env, struct mkv_answer *answer,
		       const char *name)
{
	const struct mkv_contract_vlan *vlan = &env->contract->vlan;
	char path[160];
	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	auto_free char *mac = mkv_env_read(env, "%s", path);
	mkv_answer_compare(answer, "MAC address", path, env->host->mac, mac);
	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/mtu", name);
	mkv_answer_number(answer, "MTU", path,
			  vlan->mtu ? (int64_t)vlan->mtu : -1,
			  mkv_env_read_number(env, "%s", path));
	if (env->host->address) {
		auto_free char *trie = mkv_env_read(env, "/proc/net/fib_trie");
		mkv_answer_compare(answer, "address", "/proc/net/fib_trie",
				   env->host->address,
				   !trie ? NULL
				   : is_local_address(trie, env->host->address)
					   ? env->host->address
					   : "not an address of this machine");
	}
	const char *bridge = bridge_of_vlan(env);
	if (vlan->subnet) {
		char observed[32] = "no interface";
		auto_free char *table = mkv_env_read(env, "/proc/net/route");
		if (table)
			(void)find_route(table, vlan->subnet, observed);
		/* A port has no address of its own: its bridge has it. */
		mkv_answer_compare(answer, "route to the VLAN's subnet",
				   "/proc/net/route", bridge ? bridge : name,
				   table ? observed : NULL);
	}
	if (bridge)
		mkv_bridge_check_port(env, answer, "VLAN's port", bridge, name);
	check_tag(env, answer, name);
}

void mkv_check_interfaces(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_pairs *interfaces = &env->image->interfaces;
	for (size_t i = 0; i < interfaces->count; i++) {
		const char *name = interfaces->items[i].key;
		const char *purpose = interfaces->items[i].value;
		char path[160];
		if (strlen(name) > 15 || strchr(name, '/')) {
			mkv_answer_add(answer, MKV_FAIL, "interface",
				       "contract", "an interface's name", name);
			continue;
		}
		(void)snprintf(path, sizeof(path),
			       "/sys/class/net/%s/operstate", name);
		auto_free char *state = mkv_env_read(env, "%s", path);
		/* The state of some virtual cards is "unknown". */
		bool up = state && (strcmp(state, "up") == 0 ||
				    strcmp(state, "unknown") == 0);
		mkv_answer_add(answer, up ? MKV_PASS : MKV_FAIL, name, path,
			       "up", state ? state : "missing");
		if (!state)
			continue;
		if (strcmp(purpose, "vlan") == 0)
			check_vlan(env, answer, name);
		if (strcmp(purpose, "bridge") == 0) {
			auto_free char *directory = mkv_env_path(
				env, "/sys/class/net/%s/bridge", name);
			mkv_answer_compare(
				answer, name, "/sys/class/net/*/bridge",
				"a bridge",
				directory && access(directory, F_OK) == 0
					? "a bridge"
					: "not a bridge");
		}
	}
}

/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <string.h>

#include "builder/input/recipe/cross.h"

struct subnet {
	uint32_t base, mask;
};

static bool parse_address(const char *text, uint32_t *ret)
{
	struct in_addr address;
	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	*ret = ntohl(address.s_addr);
	return true;
}

/* Adds a diagnostic on failure. The text has matched the schema's pattern. */
static bool parse_subnet(const struct mkv_cross *c, const char *where,
			 const char *text, struct subnet *ret)
{
	struct mkv_mark mark = mkv_cross_mark(c, "%s", where);
	char address[20] = {0};
	size_t length = strcspn(text, "/");
	if (length < sizeof(address))
		memcpy(address, text, length);
	unsigned long bits = strtoul(text + length + 1, NULL, 10);
	if (!parse_address(address, &ret->base)) {
		mkv_diagnose(c->load, mark, "'%s': %s is not an IPv4 address",
			     where, address);
		return false;
	}
	if (bits < 8 || bits > 30) {
		mkv_diagnose(
			c->load, mark,
			"'%s' must have a prefix length from /8 to /30, not "
			"/%lu",
			where, bits);
		return false;
	}
	ret->mask = UINT32_MAX << (32 - bits);
	if ((ret->base & ~ret->mask) == 0)
		return true;
	struct in_addr base = {htonl(ret->base & ret->mask)};
	char near[INET_ADDRSTRLEN + 16];
	(void)snprintf(near, sizeof(near), "%s/%lu",
		       inet_ntop(AF_INET, &base, address, sizeof(address)),
		       bits);
	mkv_diagnose(c->load, mark,
		     "'%s' must be a network address, not the address of a "
		     "host in it (did you mean '%s'?)",
		     where, near);
	mkv_diagnose_suggest(c->load, near);
	return false;
}

static void check_address(const struct mkv_cross *c,
			  const struct mkv_host *host,
			  const struct subnet *subnet)
{
	struct mkv_mark mark =
		mkv_cross_mark(c, "hosts.%s.address", host->name);
	uint32_t address;
	if (!parse_address(host->address, &address))
		mkv_diagnose(c->load, mark, "%s is not an IPv4 address",
			     host->address);
	else if ((address & subnet->mask) != subnet->base)
		mkv_diagnose(c->load, mark,
			     "%s is outside the VLAN's subnet %s",
			     host->address, c->recipe->vlan.subnet);
	else if (address == subnet->base ||
		 address == (subnet->base | ~subnet->mask))
		mkv_diagnose(c->load, mark,
			     "%s is the network or broadcast address of %s",
			     host->address, c->recipe->vlan.subnet);
}

static void check_mac(const struct mkv_cross *c, const struct mkv_host *host)
{
	unsigned long first = strtoul(host->mac, NULL, 16);
	struct mkv_mark mark = mkv_cross_mark(c, "hosts.%s.mac", host->name);
	if (first & 1)
		mkv_diagnose(
			c->load, mark,
			"%s is a multicast address: the first byte must be "
			"even",
			host->mac);
	else if (strcmp(host->mac, "00:00:00:00:00:00") == 0)
		mkv_diagnose(c->load, mark, "%s is not a valid MAC address",
			     host->mac);
}

/* Of two hosts, the diagnostic is for the later one by name. */
static void check_unique(const struct mkv_cross *c, size_t index)
{
	const struct mkv_host *host = &c->recipe->hosts[index];
	for (size_t i = 0; i < index; i++) {
		const struct mkv_host *other = &c->recipe->hosts[i];
		if (strcmp(other->address, host->address) == 0)
			mkv_diagnose(c->load,
				     mkv_cross_mark(c, "hosts.%s.address",
						    host->name),
				     "%s is already the address of host '%s'",
				     host->address, other->name);
		if (strcmp(other->mac, host->mac) == 0)
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "hosts.%s.mac", host->name),
				"%s is already the MAC address of host '%s'",
				host->mac, other->name);
	}
}

void mkv_cross_network(const struct mkv_cross *c)
{
	const struct mkv_recipe *r = c->recipe;
	struct subnet vlan, docker;
	bool has_vlan = parse_subnet(c, "vlan.subnet", r->vlan.subnet, &vlan);
	for (size_t i = 0; i < r->n_hosts; i++) {
		if (has_vlan)
			check_address(c, &r->hosts[i], &vlan);
		check_mac(c, &r->hosts[i]);
		check_unique(c, i);
	}
	const char *text = r->docker.network.subnet;
	if (!text || !parse_subnet(c, "docker.network.subnet", text, &docker) ||
	    !has_vlan)
		return;
	uint32_t both = vlan.mask & docker.mask;
	if ((vlan.base & both) == (docker.base & both))
		mkv_diagnose(c->load,
			     mkv_cross_mark(c, "docker.network.subnet"),
			     "%s overlaps the VLAN's subnet %s", text,
			     r->vlan.subnet);
}

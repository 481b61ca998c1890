/* SPDX-License-Identifier: MIT */
/* systemd-networkd's files (systemd.network(5), systemd.netdev(5),
 * systemd.link(5)). The interface with the VLAN's address is `vlan0` in every
 * scenario: on a machine a VLAN device on the declared card, in a guest the
 * card itself, because the hypervisor's bridge takes the tag off. Files name
 * hosts by their MAC addresses, so one image serves all its hosts. */
#include <stdlib.h>
#include <string.h>

#include "builder/config/generate/generate_internal.h"

#define PLACE "/usr/lib/systemd/network/"

static unsigned prefix_length(const char *subnet)
{
	const char *slash = subnet ? strchr(subnet, '/') : NULL;
	return slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 24;
}

static int put(struct mkv_tree *tree, const char *order, const char *name,
	       const char *type, struct mkv_buf *text, struct mkv_error *err)
{
	char path[256];
	(void)snprintf(path, sizeof(path), PLACE "%s-%s.%s", order, name, type);
	return mkv_generate_put(tree, path, text, err);
}

static int put_address(struct mkv_tree *tree, const struct mkv_recipe *recipe,
		       const struct mkv_host *host, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text,
		       "[Match]\nName=vlan0\nMACAddress=%s\n\n"
		       "[Link]\nMTUBytes=%u\nRequiredForOnline=yes\n\n"
		       "[Network]\nAddress=%s/%u\nLinkLocalAddressing=no\n"
		       "IPv6AcceptRA=no\n",
		       host->mac, recipe->vlan.mtu, host->address,
		       prefix_length(recipe->vlan.subnet));
	return put(tree, "10-vlan", host->name, "network", &text, err);
}

/* A guest's card is the interface itself. */
static int put_card_of_guest(struct mkv_tree *tree, const struct mkv_host *host,
			     struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(
		&text,
		"[Match]\nPermanentMACAddress=%s\n\n[Link]\nName=vlan0\n",
		host->mac);
	return put(tree, "10-card", host->name, "link", &text, err);
}

/* A machine's card carries the tagged VLAN, and nothing else. */
static int put_card_of_machine(struct mkv_tree *tree,
			       const struct mkv_host *host,
			       struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text,
		       "[Match]\nPermanentMACAddress=%s\nKind=!vlan\n\n"
		       "[Link]\nRequiredForOnline=no\n\n"
		       "[Network]\nVLAN=vlan0\nLinkLocalAddressing=no\n"
		       "IPv6AcceptRA=no\n",
		       host->mac);
	return put(tree, "10-card", host->name, "network", &text, err);
}

static int put_vlan_device(struct mkv_tree *tree,
			   const struct mkv_recipe *recipe,
			   struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text,
		       "[NetDev]\nName=vlan0\nKind=vlan\nMTUBytes=%u\n\n"
		       "[VLAN]\nId=%u\n",
		       recipe->vlan.mtu, recipe->vlan.id);
	return put(tree, "10", "vlan0", "netdev", &text, err);
}

/* A hypervisor's VLAN device is a port of the bridge that its guests are on. */
static int put_bridge(struct mkv_tree *tree, const struct mkv_recipe *recipe,
		      struct mkv_error *err)
{
	const char *bridge = recipe->hypervisor.bridge;
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text, "[NetDev]\nName=%s\nKind=bridge\nMTUBytes=%u\n",
		       bridge, recipe->vlan.mtu);
	int rc = put(tree, "10", "bridge", "netdev", &text, err);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&text,
		       "[Match]\nName=vlan0\n\n[Network]\nBridge=%s\n"
		       "LinkLocalAddressing=no\n",
		       bridge);
	return put(tree, "10", "vlan0", "network", &text, err);
}

/* The bridge has the machine's address. It has no MAC address that is known
 * beforehand, so its file names the host, which programs/boot/role has set by
 * then; it takes the card's. */
static int put_bridge_address(struct mkv_tree *tree,
			      const struct mkv_recipe *recipe,
			      const struct mkv_host *host,
			      struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text,
		       "[Match]\nName=%s\nHost=%s\n\n"
		       "[Link]\nMACAddress=%s\nMTUBytes=%u\n"
		       "RequiredForOnline=yes\n\n"
		       "[Network]\nAddress=%s/%u\nLinkLocalAddressing=no\n"
		       "IPv6AcceptRA=no\nConfigureWithoutCarrier=yes\n",
		       recipe->hypervisor.bridge, host->name, host->mac,
		       recipe->vlan.mtu, host->address,
		       prefix_length(recipe->vlan.subnet));
	return put(tree, "10-bridge", host->name, "network", &text, err);
}

int mkv_generate_network(struct mkv_tree *tree,
			 const struct mkv_generate_inputs *inputs,
			 struct mkv_error *err)
{
	const struct mkv_recipe *recipe = inputs->recipe;
	bool is_guest = inputs->image->platform == MKV_ON_KVM;
	bool is_hypervisor = inputs->image->platform == MKV_HYPERVISOR;
	int rc = 0;
	if (!is_guest)
		rc = put_vlan_device(tree, recipe, err);
	if (rc == 0 && is_hypervisor)
		rc = put_bridge(tree, recipe, err);
	for (size_t i = 0; rc == 0 && i < recipe->n_hosts; i++) {
		const struct mkv_host *host = &recipe->hosts[i];
		if (host->image != inputs->image_index || !host->mac ||
		    !host->address)
			continue;
		rc = is_guest ? put_card_of_guest(tree, host, err)
			      : put_card_of_machine(tree, host, err);
		if (rc == 0)
			rc = is_hypervisor
				     ? put_bridge_address(tree, recipe, host,
							  err)
				     : put_address(tree, recipe, host, err);
	}
	return rc;
}

/* SPDX-License-Identifier: MIT */
/* Files of systemd-networkd (systemd.network(5), systemd.netdev(5),
 * systemd.link(5)). In every scenario `vlan0` is the interface with the VLAN's
 * address: on a machine a VLAN device on the declared card, in a guest the card
 * itself, because the hypervisor's bridge removes the tag. Files select hosts
 * by their MAC addresses, so that one image serves several hosts. */
#include <stdlib.h>
#include <string.h>

#include "builder/config/generate/generate_internal.h"

#define PLACE "/usr/lib/systemd/network/"

static unsigned prefix_length(const char *subnet)
{
	const char *slash = subnet ? strchr(subnet, '/') : NULL;
	return slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 24;
}

static int put_file(struct mkv_tree *tree, const char *order, const char *name,
		    const char *type, struct mkv_buf *text,
		    struct mkv_error *err)
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
	return put_file(tree, "10-vlan", host->name, "network", &text, err);
}

/* Renames a guest's card to vlan0. */
static int put_card_of_guest(struct mkv_tree *tree, const struct mkv_host *host,
			     struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(
		&text,
		"[Match]\nPermanentMACAddress=%s\n\n[Link]\nName=vlan0\n",
		host->mac);
	return put_file(tree, "10-card", host->name, "link", &text, err);
}

/* A machine's card carries only the tagged VLAN. */
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
	return put_file(tree, "10-card", host->name, "network", &text, err);
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
	return put_file(tree, "10", "vlan0", "netdev", &text, err);
}

/* A hypervisor's VLAN device is a port of the bridge that connects the guests.
 */
static int put_bridge(struct mkv_tree *tree, const struct mkv_recipe *recipe,
		      struct mkv_error *err)
{
	const char *bridge = recipe->hypervisor.bridge;
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text, "[NetDev]\nName=%s\nKind=bridge\nMTUBytes=%u\n",
		       bridge, recipe->vlan.mtu);
	int rc = put_file(tree, "10", "bridge", "netdev", &text, err);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&text,
		       "[Match]\nName=vlan0\n\n[Network]\nBridge=%s\n"
		       "LinkLocalAddressing=no\n",
		       bridge);
	return put_file(tree, "10", "vlan0", "network", &text, err);
}

/* The bridge has the machine's address and takes the card's MAC address. Before
 * that its MAC address is unknown, so the file selects the host by its name,
 * which programs/boot/role has set by then. */
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
	return put_file(tree, "10-bridge", host->name, "network", &text, err);
}

static int put_host(struct mkv_tree *tree, const struct mkv_recipe *recipe,
		    const struct mkv_image *image, const struct mkv_host *host,
		    struct mkv_error *err)
{
	int rc = image->platform == MKV_ON_KVM
			 ? put_card_of_guest(tree, host, err)
			 : put_card_of_machine(tree, host, err);
	if (rc < 0)
		return rc;
	return image->platform == MKV_HYPERVISOR
		       ? put_bridge_address(tree, recipe, host, err)
		       : put_address(tree, recipe, host, err);
}

int mkv_generate_network(struct mkv_tree *tree,
			 const struct mkv_generate_inputs *inputs,
			 struct mkv_error *err)
{
	const struct mkv_recipe *recipe = inputs->recipe;
	bool is_guest = inputs->image->platform == MKV_ON_KVM;
	bool is_hypervisor = inputs->image->platform == MKV_HYPERVISOR;
	if (!is_guest) {
		int rc = put_vlan_device(tree, recipe, err);
		if (rc < 0)
			return rc;
	}
	if (is_hypervisor) {
		int rc = put_bridge(tree, recipe, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < recipe->n_hosts; i++) {
		const struct mkv_host *host = &recipe->hosts[i];
		if (host->image != inputs->image_index || !host->mac ||
		    !host->address)
			continue;
		int rc = put_host(tree, recipe, inputs->image, host, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

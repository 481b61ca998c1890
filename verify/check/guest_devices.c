/* SPDX-License-Identifier: MIT */
/* The check guest-devices, on a hypervisor: disk, network card and timers of
 * each guest. */
#include "verify/check/checks.h"

#include <string.h>

#include "verify/check/bridge.h"
#include "verify/check/guest.h"

static size_t count_nodes(const struct mkv_xml_node *parent, const char *name)
{
	size_t found = 0;
	for (const struct mkv_xml_node *node = mkv_xml_find(parent, name); node;
	     node = mkv_xml_next(node))
		found++;
	return found;
}

static void compare_disk(const struct mkv_guest_findings *q,
			 const struct mkv_xml_node *devices)
{
	const struct mkv_contract_hypervisor *hv = &q->guest->hypervisor;
	const struct mkv_xml_node *disk = mkv_xml_find(devices, "disk");
	bool virtio = strcmp(hv->disk.bus, "virtio") == 0;
	mkv_domain_number(q, "disks", MKV_DOMAINS_SOURCE, 1,
			  (int64_t)count_nodes(devices, "disk"));
	mkv_domain_compare(q, "disk's bus", MKV_DOMAINS_SOURCE, hv->disk.bus,
			   mkv_xml_attribute(disk, "target", "bus"));
	mkv_domain_compare(q, "disk's format", MKV_DOMAINS_SOURCE, "raw",
			   mkv_xml_attribute(disk, "driver", "type"));
	mkv_domain_compare(
		q, "disk's cache", MKV_DOMAINS_SOURCE, hv->disk.cache,
		mkv_domain_attribute(disk, "driver", "cache", "not set"));
	mkv_domain_compare(
		q, "disk's I/O", MKV_DOMAINS_SOURCE, hv->disk.io,
		mkv_domain_attribute(disk, "driver", "io", "not set"));
	if (virtio)
		mkv_domain_compare(q, "disk's I/O thread", MKV_DOMAINS_SOURCE,
				   hv->disk.iothreads ? "1" : "none",
				   mkv_domain_attribute(disk, "driver",
							"iothread", "none"));
}

/* The definition has the bridge that libvirt put the tap on, the kernel the
 * current one. */
static void compare_port(const struct mkv_env *env,
			 const struct mkv_guest_findings *q,
			 const struct mkv_xml_node *card)
{
	const char *tap = mkv_xml_attribute(card, "target", "dev");
	char what[96];
	if (tap)
		mkv_bridge_check_port(
			env, q->answer,
			mkv_domain_what(q->guest, "card's port", what),
			q->guest->hypervisor.nic.bridge, tap);
	else
		mkv_domain_compare(q, "card's port", MKV_DOMAINS_SOURCE,
				   "a tap of the machine", NULL);
}

static void compare_card(const struct mkv_env *env,
			 const struct mkv_guest_findings *q,
			 const struct mkv_xml_node *devices)
{
	const struct mkv_contract_hypervisor *hv = &q->guest->hypervisor;
	const struct mkv_xml_node *card = mkv_xml_find(devices, "interface");
	bool virtio = strcmp(hv->nic.model, "virtio") == 0;
	mkv_domain_number(q, "cards", MKV_DOMAINS_SOURCE, 1,
			  (int64_t)count_nodes(devices, "interface"));
	mkv_domain_compare(q, "card's model", MKV_DOMAINS_SOURCE, hv->nic.model,
			   mkv_xml_attribute(card, "model", "type"));
	mkv_domain_compare(q, "card's address", MKV_DOMAINS_SOURCE,
			   q->guest->mac,
			   mkv_xml_attribute(card, "mac", "address"));
	/* For a libvirt network the bridge is in <actual>. */
	const char *bridge = mkv_xml_attribute(card, "actual/source", "bridge");
	mkv_domain_compare(
		q, "card's bridge", MKV_DOMAINS_SOURCE, hv->nic.bridge,
		bridge ? bridge : mkv_xml_attribute(card, "source", "bridge"));
	compare_port(env, q, card);
	mkv_domain_number(q, "card's queues", MKV_DOMAINS_SOURCE,
			  hv->nic.queues,
			  mkv_xml_number(mkv_domain_attribute(card, "driver",
							      "queues", "1")));
	/* vhost needs KVM. */
	if (virtio && !mkv_domain_is_emulated(env, q->guest))
		mkv_domain_compare(q, "card's driver", MKV_DOMAINS_SOURCE,
				   "vhost",
				   mkv_domain_attribute(card, "driver", "name",
							"not set"));
	mkv_domain_number(
		q, "card's MTU", MKV_DOMAINS_SOURCE,
		env->contract->vlan.mtu ? (int64_t)env->contract->vlan.mtu : -1,
		mkv_xml_number(
			mkv_domain_attribute(card, "mtu", "size", "1500")));
}

static void compare_timer(const struct mkv_guest_findings *q,
			  const struct mkv_xml_node *definition,
			  const char *name)
{
	const struct mkv_xml_node *timer =
		mkv_xml_find(definition, "clock/timer");
	char what[48];
	while (timer &&
	       strcmp(mkv_domain_attribute(timer, "", "name", ""), name) != 0)
		timer = mkv_xml_next(timer);
	(void)snprintf(what, sizeof(what), "timer %.32s", name);
	mkv_domain_compare(
		q, what, MKV_DOMAINS_SOURCE,
		mkv_contract_strings_have(&q->guest->hypervisor.timers, name)
			? "yes"
			: "no",
		mkv_domain_attribute(timer, "", "present", "not set"));
}

static void compare_devices(const struct mkv_env *env,
			    const struct mkv_contract_host *guest,
			    const struct mkv_domain *domain,
			    struct mkv_answer *answer)
{
	const struct mkv_guest_findings q = {answer, guest};
	const struct mkv_xml_node *devices =
		mkv_xml_find(domain->definition, "devices");
	compare_disk(&q, devices);
	compare_card(env, &q, devices);
	/* The contract has no passed-through devices. */
	mkv_domain_number(&q, "devices passed through", MKV_DOMAINS_SOURCE, 0,
			  (int64_t)count_nodes(devices, "hostdev"));
	/* libvirt adds a balloon unless the definition has model='none'. */
	mkv_domain_compare(
		&q, "balloon", MKV_DOMAINS_SOURCE, "none",
		mkv_domain_attribute(devices, "memballoon", "model", "virtio"));
	mkv_domain_compare(
		&q, "firmware", MKV_DOMAINS_SOURCE, guest->hypervisor.firmware,
		mkv_xml_find(domain->definition, "os/loader") ? "uefi"
							      : "bios");
	compare_timer(&q, domain->definition, "hpet");
	/* kvm-clock needs KVM. */
	if (!mkv_domain_is_emulated(env, guest))
		compare_timer(&q, domain->definition, "kvmclock");
}

void mkv_check_guest_devices(const struct mkv_env *env,
			     struct mkv_answer *answer)
{
	mkv_domains_compare(env, answer, compare_devices);
}

/* SPDX-License-Identifier: MIT */
#include "builder/format/libvirt/xml.h"

#include <string.h>

/* Text between tags or in an attribute. */
static void put_escaped(struct mkv_buf *xml, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			mkv_buf_str(xml, "&amp;");
			break;
		case '<':
			mkv_buf_str(xml, "&lt;");
			break;
		case '>':
			mkv_buf_str(xml, "&gt;");
			break;
		case '\'':
			mkv_buf_str(xml, "&apos;");
			break;
		case '"':
			mkv_buf_str(xml, "&quot;");
			break;
		default:
			mkv_buf_char(xml, *text);
		}
	}
}

static void put_attribute(struct mkv_buf *xml, const char *name,
			  const char *value)
{
	mkv_buf_printf(xml, " %s='", name);
	put_escaped(xml, value);
	mkv_buf_char(xml, '\'');
}

/* `value` may be NULL. */
static bool is_equal(const char *value, const char *other)
{
	return value && strcmp(value, other) == 0;
}

static const struct mkv_contract_hypervisor *
first_guest(const struct mkv_contract *contract)
{
	for (size_t i = 0; i < contract->n_hosts; i++)
		if (contract->hosts[i].hypervisor.promised)
			return &contract->hosts[i].hypervisor;
	return NULL;
}

int mkv_libvirt_network_xml(const struct mkv_contract *contract,
			    struct mkv_buf *xml, struct mkv_error *err)
{
	const struct mkv_contract_hypervisor *guest = first_guest(contract);
	if (!guest)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the contract has no guests");
	mkv_buf_str(xml, "<network>\n  <name>");
	put_escaped(xml, guest->nic.network);
	mkv_buf_str(xml, "</name>\n  <forward mode='bridge'/>\n  <bridge");
	put_attribute(xml, "name", guest->nic.bridge);
	mkv_buf_str(xml, "/>\n</network>\n");
	return mkv_buf_check(xml, err);
}

/* All pages are allocated before the guest runs, so that no measurement
 * includes their allocation, and are not merged with other guests' pages. */
static void put_memory(struct mkv_buf *xml,
		       const struct mkv_contract_hypervisor *hv)
{
	mkv_buf_printf(xml,
		       "  <memory unit='KiB'>%llu</memory>\n"
		       "  <memoryBacking>\n",
		       (unsigned long long)hv->memory_bytes / 1024);
	if (hv->huge_page_bytes)
		mkv_buf_printf(xml,
			       "    <hugepages>\n"
			       "      <page size='%llu' unit='KiB'/>\n"
			       "    </hugepages>\n",
			       (unsigned long long)hv->huge_page_bytes / 1024);
	mkv_buf_str(xml, "    <nosharepages/>\n"
			 "    <allocation mode='immediate'/>\n"
			 "  </memoryBacking>\n");
}

/* "3,9" */
static void put_cpu_list(struct mkv_buf *xml,
			 const struct mkv_contract_numbers *cpus)
{
	for (size_t i = 0; i < cpus->count; i++)
		mkv_buf_printf(xml, "%s%u", i ? "," : "", cpus->items[i]);
}

/* The CPUs of QEMU's other threads. */
static void put_other_pins(struct mkv_buf *xml,
			   const struct mkv_contract_hypervisor *hv)
{
	if (!hv->cpu.others.count)
		return;
	mkv_buf_str(xml, "    <emulatorpin cpuset='");
	put_cpu_list(xml, &hv->cpu.others);
	mkv_buf_str(xml, "'/>\n");
	for (unsigned i = 1; i <= hv->disk.iothreads; i++) {
		mkv_buf_printf(xml, "    <iothreadpin iothread='%u' cpuset='",
			       i);
		put_cpu_list(xml, &hv->cpu.others);
		mkv_buf_str(xml, "'/>\n");
	}
}

static void put_cpus(struct mkv_buf *xml,
		     const struct mkv_contract_hypervisor *hv)
{
	mkv_buf_printf(xml, "  <vcpu placement='static'>%u</vcpu>\n",
		       hv->cpu.sockets * hv->cpu.dies * hv->cpu.cores *
			       hv->cpu.threads);
	if (hv->disk.iothreads)
		mkv_buf_printf(xml, "  <iothreads>%u</iothreads>\n",
			       hv->disk.iothreads);
	if (!hv->cpu.pins.count)
		return;
	mkv_buf_str(xml, "  <cputune>\n");
	for (size_t i = 0; i < hv->cpu.pins.count; i++)
		mkv_buf_printf(xml, "    <vcpupin vcpu='%zu' cpuset='%u'/>\n",
			       i, hv->cpu.pins.items[i]);
	put_other_pins(xml, hv);
	mkv_buf_str(xml, "  </cputune>\n");
}

static void put_clock(struct mkv_buf *xml,
		      const struct mkv_contract_hypervisor *hv)
{
	mkv_buf_printf(
		xml,
		"  <clock offset='utc'>\n"
		"    <timer name='rtc' tickpolicy='catchup'/>\n"
		"    <timer name='pit' tickpolicy='delay'/>\n"
		"    <timer name='hpet' present='%s'/>\n"
		"    <timer name='kvmclock' present='%s'/>\n"
		"  </clock>\n",
		mkv_contract_strings_have(&hv->timers, "hpet") ? "yes" : "no",
		mkv_contract_strings_have(&hv->timers, "kvmclock") ? "yes"
								   : "no");
}

static void put_cpu_features(struct mkv_buf *xml,
			     const struct mkv_contract_hypervisor *hv)
{
	for (size_t i = 0; i < hv->cpu.features.count; i++) {
		const char *feature = hv->cpu.features.items[i];
		bool off = feature[0] == '-';
		if (off || feature[0] == '+')
			feature++;
		mkv_buf_printf(xml, "    <feature policy='%s'",
			       off ? "disable" : "require");
		put_attribute(xml, "name", feature);
		mkv_buf_str(xml, "/>\n");
	}
}

static void put_cpu_model(struct mkv_buf *xml,
			  const struct mkv_contract_hypervisor *hv)
{
	mkv_buf_str(xml, "  <cpu");
	put_attribute(xml, "mode", hv->cpu.mode);
	if (is_equal(hv->cpu.mode, "custom"))
		mkv_buf_str(xml, " match='exact'");
	mkv_buf_str(xml, " check='partial'");
	if (hv->cpu.migratable >= 0)
		put_attribute(xml, "migratable",
			      hv->cpu.migratable ? "on" : "off");
	mkv_buf_str(xml, ">\n");
	if (hv->cpu.model) {
		mkv_buf_str(xml, "    <model fallback='forbid'>");
		put_escaped(xml, hv->cpu.model);
		mkv_buf_str(xml, "</model>\n");
	}
	mkv_buf_printf(xml,
		       "    <topology sockets='%u' dies='%u' cores='%u' "
		       "threads='%u'/>\n",
		       hv->cpu.sockets, hv->cpu.dies, hv->cpu.cores,
		       hv->cpu.threads);
	/* libvirt supports passthrough, emulation of level 3, and none. */
	mkv_buf_str(xml, "    <cache");
	put_attribute(xml, "mode", hv->cpu.caches);
	if (is_equal(hv->cpu.caches, "emulate"))
		mkv_buf_str(xml, " level='3'");
	mkv_buf_str(xml, "/>\n");
	put_cpu_features(xml, hv);
	mkv_buf_str(xml, "  </cpu>\n");
}

/* The host's name, as a credential for systemd (systemd.system-credentials(7)).
 */
static void put_host_name(struct mkv_buf *xml,
			  const struct mkv_contract_host *host)
{
	mkv_buf_str(xml, "  <sysinfo type='smbios'>\n    <oemStrings>\n"
			 "      <entry>io.systemd.credential:mkvbench.host=");
	put_escaped(xml, host->name);
	mkv_buf_str(xml, "</entry>\n    </oemStrings>\n  </sysinfo>\n");
}

static void put_firmware(struct mkv_buf *xml,
			 const struct mkv_contract_hypervisor *hv)
{
	bool uefi = is_equal(hv->firmware, "uefi");
	mkv_buf_printf(xml,
		       "  <os%s>\n    <type arch='x86_64' "
		       "machine='q35'>hvm</type>\n",
		       uefi ? " firmware='efi'" : "");
	if (uefi)
		mkv_buf_str(xml, "    <firmware>\n      <feature enabled='no' "
				 "name='secure-boot'/>\n    </firmware>\n");
	mkv_buf_str(xml, "    <boot dev='hd'/>\n    <smbios mode='sysinfo'/>\n"
			 "  </os>\n");
}

static void put_disk(struct mkv_buf *xml,
		     const struct mkv_contract_hypervisor *hv)
{
	bool virtio = is_equal(hv->disk.bus, "virtio");
	mkv_buf_str(xml, "    <disk type='file' device='disk'>\n"
			 "      <driver name='qemu' type='raw'");
	put_attribute(xml, "cache", hv->disk.cache);
	put_attribute(xml, "io", hv->disk.io);
	if (hv->disk.iothreads && virtio)
		mkv_buf_str(xml, " iothread='1'");
	mkv_buf_str(xml, "/>\n      <source");
	put_attribute(xml, "file", hv->disk.file);
	mkv_buf_str(xml, "/>\n      <target");
	put_attribute(xml, "dev", virtio ? "vda" : "sda");
	put_attribute(xml, "bus", hv->disk.bus);
	mkv_buf_str(xml, "/>\n    </disk>\n");
}

/* Without an explicit model, libvirt adds a USB controller and an LSI SCSI
 * controller. */
static void put_controllers(struct mkv_buf *xml,
			    const struct mkv_contract_hypervisor *hv)
{
	mkv_buf_str(xml, "    <controller type='usb' model='none'/>\n");
	if (!is_equal(hv->disk.bus, "scsi"))
		return;
	mkv_buf_str(xml, "    <controller type='scsi' index='0' "
			 "model='virtio-scsi'");
	if (hv->disk.iothreads)
		mkv_buf_str(xml, ">\n      <driver iothread='1'/>\n"
				 "    </controller>\n");
	else
		mkv_buf_str(xml, "/>\n");
}

static void put_interface(struct mkv_buf *xml,
			  const struct mkv_contract *contract,
			  const struct mkv_contract_host *host)
{
	const struct mkv_contract_hypervisor *hv = &host->hypervisor;
	mkv_buf_str(xml, "    <interface type='network'>\n      <mac");
	put_attribute(xml, "address", host->mac);
	mkv_buf_str(xml, "/>\n      <source");
	put_attribute(xml, "network", hv->nic.network);
	mkv_buf_str(xml, "/>\n      <model");
	put_attribute(xml, "type", hv->nic.model);
	mkv_buf_str(xml, "/>\n");
	if (is_equal(hv->nic.model, "virtio") && hv->nic.queues > 1)
		mkv_buf_printf(xml,
			       "      <driver name='vhost' queues='%u'/>\n",
			       hv->nic.queues);
	else if (is_equal(hv->nic.model, "virtio"))
		mkv_buf_str(xml, "      <driver name='vhost'/>\n");
	if (contract->vlan.mtu && contract->vlan.mtu != 1500)
		mkv_buf_printf(xml, "      <mtu size='%u'/>\n",
			       contract->vlan.mtu);
	mkv_buf_str(xml, "    </interface>\n");
}

static void put_devices(struct mkv_buf *xml,
			const struct mkv_contract *contract,
			const struct mkv_contract_host *host)
{
	mkv_buf_str(xml, "  <devices>\n");
	put_disk(xml, &host->hypervisor);
	put_controllers(xml, &host->hypervisor);
	put_interface(xml, contract, host);
	mkv_buf_str(xml,
		    "    <serial type='pty'>\n      <target port='0'/>\n"
		    "    </serial>\n"
		    "    <console type='pty'>\n"
		    "      <target type='serial' port='0'/>\n"
		    "    </console>\n"
		    "    <rng model='virtio'>\n"
		    "      <backend model='random'>/dev/urandom</backend>\n"
		    "    </rng>\n"
		    /* A balloon could take memory away during a measurement. */
		    "    <memballoon model='none'/>\n"
		    "  </devices>\n");
}

int mkv_libvirt_domain_xml(const struct mkv_contract *contract,
			   const struct mkv_contract_host *host,
			   struct mkv_buf *xml, struct mkv_error *err)
{
	const struct mkv_contract_hypervisor *hv = &host->hypervisor;
	if (!hv->promised || !host->mac)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"host '%s' of the contract is not a guest",
				host->name);
	mkv_buf_str(xml, "<domain type='kvm'>\n  <name>");
	put_escaped(xml, hv->domain);
	mkv_buf_str(xml, "</name>\n  <uuid>");
	put_escaped(xml, hv->uuid);
	mkv_buf_str(xml, "</uuid>\n");
	put_memory(xml, hv);
	put_cpus(xml, hv);
	put_host_name(xml, host);
	put_firmware(xml, hv);
	mkv_buf_str(xml, "  <features>\n    <acpi/>\n    <apic/>\n"
			 "    <vmport state='off'/>\n  </features>\n");
	put_cpu_model(xml, hv);
	put_clock(xml, hv);
	mkv_buf_str(xml, "  <on_poweroff>destroy</on_poweroff>\n"
			 "  <on_reboot>restart</on_reboot>\n"
			 "  <on_crash>destroy</on_crash>\n"
			 "  <pm>\n    <suspend-to-mem enabled='no'/>\n"
			 "    <suspend-to-disk enabled='no'/>\n  </pm>\n");
	put_devices(xml, contract, host);
	mkv_buf_str(xml, "</domain>\n");
	return mkv_buf_check(xml, err);
}

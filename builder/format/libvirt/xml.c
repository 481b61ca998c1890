/* SPDX-License-Identifier: MIT */
#include "builder/format/libvirt/xml.h"

#include <string.h>

/* Text between tags or in an attribute. */
static void escaped(struct mkv_buf *xml, const char *text)
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

static void attribute(struct mkv_buf *xml, const char *name, const char *value)
{
	mkv_buf_printf(xml, " %s='", name);
	escaped(xml, value);
	mkv_buf_char(xml, '\'');
}

static bool is(const char *value, const char *wanted)
{
	return value && strcmp(value, wanted) == 0;
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
	escaped(xml, guest->nic.network);
	mkv_buf_str(xml, "</name>\n  <forward mode='bridge'/>\n  <bridge");
	attribute(xml, "name", guest->nic.bridge);
	mkv_buf_str(xml, "/>\n</network>\n");
	return mkv_buf_check(xml, err);
}

/* Pages are there before the guest runs: it never waits for one while
 * measuring, and none of them is merged with another guest's. */
static void memory(struct mkv_buf *xml,
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
static void cpu_list(struct mkv_buf *xml,
		     const struct mkv_contract_numbers *cpus)
{
	for (size_t i = 0; i < cpus->count; i++)
		mkv_buf_printf(xml, "%s%u", i ? "," : "", cpus->items[i]);
}

static void pin_others(struct mkv_buf *xml,
		       const struct mkv_contract_hypervisor *hv)
{
	if (!hv->cpu.others.count)
		return;
	mkv_buf_str(xml, "    <emulatorpin cpuset='");
	cpu_list(xml, &hv->cpu.others);
	mkv_buf_str(xml, "'/>\n");
	for (unsigned i = 1; i <= hv->disk.iothreads; i++) {
		mkv_buf_printf(xml, "    <iothreadpin iothread='%u' cpuset='",
			       i);
		cpu_list(xml, &hv->cpu.others);
		mkv_buf_str(xml, "'/>\n");
	}
}

static void cpus(struct mkv_buf *xml, const struct mkv_contract_hypervisor *hv)
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
	pin_others(xml, hv);
	mkv_buf_str(xml, "  </cputune>\n");
}

static void guest_clock(struct mkv_buf *xml,
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

static void cpu_features(struct mkv_buf *xml,
			 const struct mkv_contract_hypervisor *hv)
{
	for (size_t i = 0; i < hv->cpu.features.count; i++) {
		const char *feature = hv->cpu.features.items[i];
		bool off = feature[0] == '-';
		if (off || feature[0] == '+')
			feature++;
		mkv_buf_printf(xml, "    <feature policy='%s'",
			       off ? "disable" : "require");
		attribute(xml, "name", feature);
		mkv_buf_str(xml, "/>\n");
	}
}

static void cpu_model(struct mkv_buf *xml,
		      const struct mkv_contract_hypervisor *hv)
{
	mkv_buf_str(xml, "  <cpu");
	attribute(xml, "mode", hv->cpu.mode);
	if (is(hv->cpu.mode, "custom"))
		mkv_buf_str(xml, " match='exact'");
	mkv_buf_str(xml, " check='partial'");
	if (hv->cpu.migratable >= 0)
		attribute(xml, "migratable", hv->cpu.migratable ? "on" : "off");
	mkv_buf_str(xml, ">\n");
	if (hv->cpu.model) {
		mkv_buf_str(xml, "    <model fallback='forbid'>");
		escaped(xml, hv->cpu.model);
		mkv_buf_str(xml, "</model>\n");
	}
	mkv_buf_printf(xml,
		       "    <topology sockets='%u' dies='%u' cores='%u' "
		       "threads='%u'/>\n",
		       hv->cpu.sockets, hv->cpu.dies, hv->cpu.cores,
		       hv->cpu.threads);
	/* All that libvirt knows: passthrough, level 3 emulated, or none. */
	mkv_buf_str(xml, "    <cache");
	attribute(xml, "mode", hv->cpu.caches);
	if (is(hv->cpu.caches, "emulate"))
		mkv_buf_str(xml, " level='3'");
	mkv_buf_str(xml, "/>\n");
	cpu_features(xml, hv);
	mkv_buf_str(xml, "  </cpu>\n");
}

/* The host's name reaches systemd as a credential
 * (systemd.system-credentials(7)). */
static void identity(struct mkv_buf *xml, const struct mkv_contract_host *host)
{
	mkv_buf_str(xml, "  <sysinfo type='smbios'>\n    <oemStrings>\n"
			 "      <entry>io.systemd.credential:mkvbench.host=");
	escaped(xml, host->name);
	mkv_buf_str(xml, "</entry>\n    </oemStrings>\n  </sysinfo>\n");
}

static void firmware(struct mkv_buf *xml,
		     const struct mkv_contract_hypervisor *hv)
{
	bool uefi = is(hv->firmware, "uefi");
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

static void disk(struct mkv_buf *xml, const struct mkv_contract_hypervisor *hv)
{
	bool virtio = is(hv->disk.bus, "virtio");
	mkv_buf_str(xml, "    <disk type='file' device='disk'>\n"
			 "      <driver name='qemu' type='raw'");
	attribute(xml, "cache", hv->disk.cache);
	attribute(xml, "io", hv->disk.io);
	if (hv->disk.iothreads && virtio)
		mkv_buf_str(xml, " iothread='1'");
	mkv_buf_str(xml, "/>\n      <source");
	attribute(xml, "file", hv->disk.file);
	mkv_buf_str(xml, "/>\n      <target");
	attribute(xml, "dev", virtio ? "vda" : "sda");
	attribute(xml, "bus", hv->disk.bus);
	mkv_buf_str(xml, "/>\n    </disk>\n");
}

/* libvirt's own choice would be a card of the nineties. */
static void controllers(struct mkv_buf *xml,
			const struct mkv_contract_hypervisor *hv)
{
	mkv_buf_str(xml, "    <controller type='usb' model='none'/>\n");
	if (!is(hv->disk.bus, "scsi"))
		return;
	mkv_buf_str(xml, "    <controller type='scsi' index='0' "
			 "model='virtio-scsi'");
	if (hv->disk.iothreads)
		mkv_buf_str(xml, ">\n      <driver iothread='1'/>\n"
				 "    </controller>\n");
	else
		mkv_buf_str(xml, "/>\n");
}

static void card(struct mkv_buf *xml, const struct mkv_contract *contract,
		 const struct mkv_contract_host *host)
{
	const struct mkv_contract_hypervisor *hv = &host->hypervisor;
	mkv_buf_str(xml, "    <interface type='network'>\n      <mac");
	attribute(xml, "address", host->mac);
	mkv_buf_str(xml, "/>\n      <source");
	attribute(xml, "network", hv->nic.network);
	mkv_buf_str(xml, "/>\n      <model");
	attribute(xml, "type", hv->nic.model);
	mkv_buf_str(xml, "/>\n");
	if (is(hv->nic.model, "virtio") && hv->nic.queues > 1)
		mkv_buf_printf(xml,
			       "      <driver name='vhost' queues='%u'/>\n",
			       hv->nic.queues);
	else if (is(hv->nic.model, "virtio"))
		mkv_buf_str(xml, "      <driver name='vhost'/>\n");
	if (contract->vlan.mtu && contract->vlan.mtu != 1500)
		mkv_buf_printf(xml, "      <mtu size='%u'/>\n",
			       contract->vlan.mtu);
	mkv_buf_str(xml, "    </interface>\n");
}

static void devices(struct mkv_buf *xml, const struct mkv_contract *contract,
		    const struct mkv_contract_host *host)
{
	mkv_buf_str(xml, "  <devices>\n");
	disk(xml, &host->hypervisor);
	controllers(xml, &host->hypervisor);
	card(xml, contract, host);
	mkv_buf_str(xml,
		    "    <serial type='pty'>\n      <target port='0'/>\n"
		    "    </serial>\n"
		    "    <console type='pty'>\n"
		    "      <target type='serial' port='0'/>\n"
		    "    </console>\n"
		    "    <rng model='virtio'>\n"
		    "      <backend model='random'>/dev/urandom</backend>\n"
		    "    </rng>\n"
		    /* A balloon would take memory away while measuring. */
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
				"the contract's host '%s' is no guest",
				host->name);
	mkv_buf_str(xml, "<domain type='kvm'>\n  <name>");
	escaped(xml, hv->domain);
	mkv_buf_str(xml, "</name>\n  <uuid>");
	escaped(xml, hv->uuid);
	mkv_buf_str(xml, "</uuid>\n");
	memory(xml, hv);
	cpus(xml, hv);
	identity(xml, host);
	firmware(xml, hv);
	mkv_buf_str(xml, "  <features>\n    <acpi/>\n    <apic/>\n"
			 "    <vmport state='off'/>\n  </features>\n");
	cpu_model(xml, hv);
	guest_clock(xml, hv);
	mkv_buf_str(xml, "  <on_poweroff>destroy</on_poweroff>\n"
			 "  <on_reboot>restart</on_reboot>\n"
			 "  <on_crash>destroy</on_crash>\n"
			 "  <pm>\n    <suspend-to-mem enabled='no'/>\n"
			 "    <suspend-to-disk enabled='no'/>\n  </pm>\n");
	devices(xml, contract, host);
	mkv_buf_str(xml, "</domain>\n");
	return mkv_buf_check(xml, err);
}

/* SPDX-License-Identifier: MIT */
#include "builder/libvirt/xml.h"

#include <string.h>

#include "lib/hash.h"

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

int mkv_libvirt_network_xml(const struct mkv_recipe *recipe,
			    struct mkv_buf *xml, struct mkv_error *err)
{
	mkv_buf_printf(xml, "<network>\n  <name>mkvbench-");
	escaped(xml, recipe->name);
	mkv_buf_str(xml, "</name>\n  <forward mode='bridge'/>\n  <bridge");
	attribute(xml, "name", recipe->hypervisor.bridge);
	mkv_buf_str(xml, "/>\n</network>\n");
	return mkv_buf_check(xml, err);
}

static unsigned count_cpus(const struct mkv_hypervisor *hv)
{
	return hv->sockets * hv->cores * hv->threads;
}

/* Pages are there before the guest runs: it never waits for one while measuring,
 * and none of them is merged with another guest's. */
static void memory(struct mkv_buf *xml, const struct mkv_hypervisor *hv)
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

/* Guest CPU n on machine CPU k(n): Linux numbers a machine's first threads first
 * and their siblings behind them, a guest's siblings stand side by side, so that
 * pinning keeps siblings siblings. */
static unsigned pinned_to(const struct mkv_recipe *recipe, unsigned vcpu)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	unsigned machine_cores =
		recipe->hardware.sockets * recipe->hardware.cores;
	unsigned core = vcpu / hv->threads;
	unsigned thread = vcpu % hv->threads;
	return core + thread * machine_cores;
}

/* The machine's CPUs that no guest CPU is pinned to, as "3,9"; empty: none. */
static void spare_cpus(struct mkv_buf *list, const struct mkv_recipe *recipe)
{
	const struct mkv_hardware *hw = &recipe->hardware;
	unsigned machine = hw->sockets * hw->cores * hw->threads;
	unsigned count = count_cpus(&recipe->hypervisor);
	for (unsigned cpu = 0; cpu < machine; cpu++) {
		bool taken = false;
		for (unsigned i = 0; i < count && !taken; i++)
			taken = pinned_to(recipe, i) == cpu;
		if (!taken)
			mkv_buf_printf(list, "%s%u", list->size ? "," : "",
				       cpu);
	}
}

/* What QEMU does beside the guest's CPUs stays off them where it can. */
static void pin_others(struct mkv_buf *xml, const struct mkv_recipe *recipe)
{
	auto_buf struct mkv_buf spare = {0};
	spare_cpus(&spare, recipe);
	xml->failed |= spare.failed;
	if (!spare.size)
		return;
	mkv_buf_printf(xml, "    <emulatorpin cpuset='%s'/>\n", spare.data);
	for (unsigned i = 1; i <= recipe->hypervisor.iothreads; i++)
		mkv_buf_printf(xml,
			       "    <iothreadpin iothread='%u' cpuset='%s'/>\n",
			       i, spare.data);
}

static void cpus(struct mkv_buf *xml, const struct mkv_recipe *recipe)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	unsigned count = count_cpus(hv);
	mkv_buf_printf(xml, "  <vcpu placement='static'>%u</vcpu>\n", count);
	if (hv->iothreads)
		mkv_buf_printf(xml, "  <iothreads>%u</iothreads>\n",
			       hv->iothreads);
	if (!is(hv->pin, "one-to-one"))
		return;
	mkv_buf_str(xml, "  <cputune>\n");
	for (unsigned i = 0; i < count; i++)
		mkv_buf_printf(xml, "    <vcpupin vcpu='%u' cpuset='%u'/>\n", i,
			       pinned_to(recipe, i));
	pin_others(xml, recipe);
	mkv_buf_str(xml, "  </cputune>\n");
}

static bool has_clocksource(const struct mkv_hypervisor *hv, const char *name)
{
	for (size_t i = 0; i < hv->clocksources.count; i++)
		if (is(hv->clocksources.items[i], name))
			return true;
	return false;
}

/* The kernel takes the TSC when it is invariant and kvm-clock is no better; it
 * has neither where the contract doesn't name it. The HPET costs exits. */
static void guest_clock(struct mkv_buf *xml, const struct mkv_hypervisor *hv)
{
	mkv_buf_printf(xml,
		       "  <clock offset='utc'>\n"
		       "    <timer name='rtc' tickpolicy='catchup'/>\n"
		       "    <timer name='pit' tickpolicy='delay'/>\n"
		       "    <timer name='hpet' present='%s'/>\n"
		       "    <timer name='kvmclock' present='%s'/>\n"
		       "  </clock>\n",
		       has_clocksource(hv, "hpet") ? "yes" : "no",
		       has_clocksource(hv, "kvm-clock") ? "yes" : "no");
}

static void cpu_features(struct mkv_buf *xml, const struct mkv_hypervisor *hv)
{
	for (size_t i = 0; i < hv->features.count; i++) {
		const char *feature = hv->features.items[i];
		bool off = feature[0] == '-';
		if (off || feature[0] == '+')
			feature++;
		mkv_buf_printf(xml, "    <feature policy='%s'",
			       off ? "disable" : "require");
		attribute(xml, "name", feature);
		mkv_buf_str(xml, "/>\n");
	}
}

/* How many dies a guest's socket needs so that passed-through caches keep their
 * sharers. A guest's APIC ids have no gaps but at levels of its topology, and who
 * shares a cache is a range of them, rounded up to a power of two (AMD64 APM
 * volume 3, E.4.15): where the last cache has three cores, as in the Ryzen 5
 * 3600, six cores in a row would be parted as four and two. */
static unsigned count_dies(const struct mkv_recipe *recipe)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	const struct mkv_hardware *hardware = &recipe->hardware;
	unsigned shared_by = 0, all = hv->cores * hv->threads;
	if (!is(hv->caches, "passthrough"))
		return 1;
	for (size_t i = 0; i < hardware->n_caches; i++)
		if (hardware->caches[i].level == 3)
			shared_by = hardware->caches[i].shared_by;
	bool parts = shared_by && shared_by < all && all % shared_by == 0 &&
		     shared_by % hv->threads == 0;
	bool power_of_two = (shared_by & (shared_by - 1)) == 0;
	return parts && !power_of_two ? all / shared_by : 1;
}

static void cpu_model(struct mkv_buf *xml, const struct mkv_recipe *recipe)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	unsigned dies = count_dies(recipe);
	mkv_buf_str(xml, "  <cpu");
	attribute(xml, "mode", hv->cpu_mode);
	if (is(hv->cpu_mode, "custom"))
		mkv_buf_str(xml, " match='exact'");
	mkv_buf_str(xml, " check='partial'");
	/* A CPU that could migrate has no invariant TSC. */
	if (is(hv->cpu_mode, "host-passthrough"))
		attribute(xml, "migratable",
			  has_clocksource(hv, "tsc") ? "off" : "on");
	mkv_buf_str(xml, ">\n");
	if (is(hv->cpu_mode, "custom") && hv->cpu_model) {
		mkv_buf_str(xml, "    <model fallback='forbid'>");
		escaped(xml, hv->cpu_model);
		mkv_buf_str(xml, "</model>\n");
	}
	mkv_buf_printf(xml,
		       "    <topology sockets='%u' dies='%u' cores='%u' "
		       "threads='%u'/>\n",
		       hv->sockets, dies, hv->cores / dies, hv->threads);
	/* All that libvirt knows: passthrough, level 3 emulated, or none. */
	if (is(hv->caches, "passthrough"))
		mkv_buf_str(xml, "    <cache mode='passthrough'/>\n");
	else if (is(hv->caches, "emulate"))
		mkv_buf_str(xml, "    <cache mode='emulate' level='3'/>\n");
	else if (is(hv->caches, "disable"))
		mkv_buf_str(xml, "    <cache mode='disable'/>\n");
	cpu_features(xml, hv);
	mkv_buf_str(xml, "  </cpu>\n");
}

/* The host's name reaches systemd as a credential (systemd.system-credentials(7)). */
static void identity(struct mkv_buf *xml, const struct mkv_host *host)
{
	mkv_buf_str(xml, "  <sysinfo type='smbios'>\n    <oemStrings>\n"
			 "      <entry>io.systemd.credential:mkvbench.host=");
	escaped(xml, host->name);
	mkv_buf_str(xml, "</entry>\n    </oemStrings>\n  </sysinfo>\n");
}

static void firmware(struct mkv_buf *xml, const struct mkv_recipe *recipe,
		     const struct mkv_host *host)
{
	const struct mkv_image *image = &recipe->images[host->image];
	mkv_buf_printf(xml, "  <os%s>\n    <type arch='x86_64' "
			    "machine='q35'>hvm</type>\n",
		       image->uefi ? " firmware='efi'" : "");
	if (image->uefi)
		mkv_buf_str(xml, "    <firmware>\n      <feature enabled='no' "
				 "name='secure-boot'/>\n    </firmware>\n");
	mkv_buf_str(xml, "    <boot dev='hd'/>\n    <smbios mode='sysinfo'/>\n"
			 "  </os>\n");
}

static void disk(struct mkv_buf *xml, const struct mkv_recipe *recipe,
		 const struct mkv_host *host)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	mkv_buf_str(xml, "    <disk type='file' device='disk'>\n"
			 "      <driver name='qemu' type='raw'");
	if (hv->disk_cache)
		attribute(xml, "cache", hv->disk_cache);
	if (hv->disk_io)
		attribute(xml, "io", hv->disk_io);
	if (hv->iothreads && is(hv->disk_bus, "virtio"))
		mkv_buf_str(xml, " iothread='1'");
	mkv_buf_printf(xml, "/>\n      <source file='%s/", MKV_LIBVIRT_DISKS);
	escaped(xml, recipe->name);
	mkv_buf_char(xml, '/');
	escaped(xml, host->name);
	mkv_buf_str(xml, ".raw'/>\n      <target");
	attribute(xml, "dev", is(hv->disk_bus, "virtio") ? "vda" : "sda");
	attribute(xml, "bus", hv->disk_bus);
	mkv_buf_str(xml, "/>\n    </disk>\n");
}

/* libvirt's own choice would be a card of the nineties. */
static void controllers(struct mkv_buf *xml, const struct mkv_hypervisor *hv)
{
	mkv_buf_str(xml, "    <controller type='usb' model='none'/>\n");
	if (!is(hv->disk_bus, "scsi"))
		return;
	mkv_buf_str(xml, "    <controller type='scsi' index='0' "
			 "model='virtio-scsi'");
	if (hv->iothreads)
		mkv_buf_str(xml, ">\n      <driver iothread='1'/>\n"
				 "    </controller>\n");
	else
		mkv_buf_str(xml, "/>\n");
}

static void card(struct mkv_buf *xml, const struct mkv_recipe *recipe,
		 const struct mkv_host *host)
{
	const struct mkv_hypervisor *hv = &recipe->hypervisor;
	mkv_buf_str(xml, "    <interface type='network'>\n      <mac");
	attribute(xml, "address", host->mac);
	mkv_buf_str(xml, "/>\n      <source network='mkvbench-");
	escaped(xml, recipe->name);
	mkv_buf_str(xml, "'/>\n      <model");
	attribute(xml, "type", hv->nic_model);
	mkv_buf_str(xml, "/>\n");
	if (is(hv->nic_model, "virtio") && hv->nic_queues > 1)
		mkv_buf_printf(xml,
			       "      <driver name='vhost' queues='%u'/>\n",
			       hv->nic_queues);
	else if (is(hv->nic_model, "virtio"))
		mkv_buf_str(xml, "      <driver name='vhost'/>\n");
	if (recipe->vlan.mtu && recipe->vlan.mtu != 1500)
		mkv_buf_printf(xml, "      <mtu size='%u'/>\n",
			       recipe->vlan.mtu);
	mkv_buf_str(xml, "    </interface>\n");
}

static void devices(struct mkv_buf *xml, const struct mkv_recipe *recipe,
		    const struct mkv_host *host)
{
	mkv_buf_str(xml, "  <devices>\n");
	disk(xml, recipe, host);
	controllers(xml, &recipe->hypervisor);
	card(xml, recipe, host);
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

int mkv_libvirt_domain_xml(const struct mkv_recipe *recipe,
			   const struct mkv_host *host,
			   const uint8_t uuid[static 16], struct mkv_buf *xml,
			   struct mkv_error *err)
{
	char id[37];
	mkv_uuid_text(uuid, id);
	mkv_buf_str(xml, "<domain type='kvm'>\n  <name>");
	escaped(xml, recipe->name);
	mkv_buf_char(xml, '-');
	escaped(xml, host->name);
	mkv_buf_printf(xml, "</name>\n  <uuid>%s</uuid>\n", id);
	memory(xml, &recipe->hypervisor);
	cpus(xml, recipe);
	identity(xml, host);
	firmware(xml, recipe, host);
	mkv_buf_str(xml, "  <features>\n    <acpi/>\n    <apic/>\n"
			 "    <vmport state='off'/>\n  </features>\n");
	cpu_model(xml, recipe);
	guest_clock(xml, &recipe->hypervisor);
	mkv_buf_str(xml, "  <on_poweroff>destroy</on_poweroff>\n"
			 "  <on_reboot>restart</on_reboot>\n"
			 "  <on_crash>destroy</on_crash>\n"
			 "  <pm>\n    <suspend-to-mem enabled='no'/>\n"
			 "    <suspend-to-disk enabled='no'/>\n  </pm>\n");
	devices(xml, recipe, host);
	mkv_buf_str(xml, "</domain>\n");
	return mkv_buf_check(xml, err);
}

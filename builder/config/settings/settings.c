/* SPDX-License-Identifier: MIT */
#include "builder/config/settings/settings.h"

#include <stdio.h>
#include <string.h>

/* Appends a promise; NULL, and no promise, when there is no value. */
static struct mkv_promise *add_promise(struct mkv_promise *list, size_t *count,
				       const char *key, const char *value)
{
	if (!value)
		return NULL;
	struct mkv_promise *promise = &list[(*count)++];
	*promise = (struct mkv_promise){.key = key, .value = value};
	return promise;
}

static const char *on_off(bool given, bool value)
{
	return !given ? NULL : value ? "on" : "off";
}

static void set_word(struct mkv_promise *promise, const char *word,
		     const char *value)
{
	if (promise)
		(void)snprintf(promise->word, sizeof(promise->word), "%s=%s",
			       word, value);
}

static void add_file(struct mkv_promise *promise, const char *path,
		     const char *text)
{
	size_t at = 0;
	while (promise && promise->files[at].path)
		at++;
	if (promise) {
		promise->files[at].path = path;
		promise->files[at].text = text;
	}
}

static const char *digit(bool value)
{
	return value ? "1" : "0";
}

/* The driver of the controller of the guest's disk. */
static const char *guest_disk(const struct mkv_hypervisor *hv)
{
	return strcmp(hv->disk_bus, "virtio") == 0 ? "virtio_blk"
	       : strcmp(hv->disk_bus, "scsi") == 0 ? "virtio_scsi"
						   : "ahci";
}

static const char *guest_nic(const struct mkv_hypervisor *hv)
{
	return strcmp(hv->nic_model, "virtio") == 0 ? "virtio_net" : "e1000e";
}

size_t mkv_settings_promised(const struct mkv_recipe *recipe,
			     const struct mkv_image *image,
			     struct mkv_promise ret[static MKV_PROMISES_MAX])
{
	const struct mkv_kernel_settings *s = &recipe->settings;
	bool guest = image->platform == MKV_ON_KVM && recipe->has_hypervisor;
	struct mkv_promise *p;
	size_t count = 0;

	p = add_promise(ret, &count, "boost",
			on_off(s->has_boost && !guest, s->boost));
	add_file(p, "/sys/devices/system/cpu/cpufreq/boost", digit(s->boost));
	add_file(p, "/sys/devices/system/cpu/intel_pstate/no_turbo",
		 digit(!s->boost));
	(void)add_promise(ret, &count, "disk_driver",
			  guest ? guest_disk(&recipe->hypervisor)
				: recipe->hardware.disk_driver);
	p = add_promise(ret, &count, "governor", guest ? NULL : s->governor);
	if (p && strcmp(s->governor, "none") != 0)
		set_word(p, "cpufreq.default_governor", s->governor);
	p = add_promise(ret, &count, "io_scheduler", s->io_scheduler);
	add_file(p, "/sys/block/nvme*/queue/scheduler", s->io_scheduler);
	add_file(p, "/sys/block/sd*/queue/scheduler", s->io_scheduler);
	add_file(p, "/sys/block/vd*/queue/scheduler", s->io_scheduler);
	p = add_promise(ret, &count, "ksm", on_off(s->has_ksm, s->ksm));
	add_file(p, "/sys/kernel/mm/ksm/run", digit(s->ksm));
	p = add_promise(ret, &count, "mitigations",
			on_off(s->has_mitigations, s->mitigations));
	if (!s->mitigations)
		set_word(p, "mitigations", "off");
	(void)add_promise(ret, &count, "nic_driver",
			  guest ? guest_nic(&recipe->hypervisor)
				: recipe->hardware.nic_driver);
	p = add_promise(ret, &count, "numa_balancing",
			on_off(s->has_numa_balancing, s->numa_balancing));
	add_file(p, "/proc/sys/kernel/numa_balancing",
		 digit(s->numa_balancing));
	(void)add_promise(ret, &count, "swap", s->swap);
	p = add_promise(ret, &count, "transparent_hugepage",
			s->transparent_huge_pages);
	set_word(p, "transparent_hugepage", s->transparent_huge_pages);
	return count;
}

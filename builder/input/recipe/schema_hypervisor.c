/* SPDX-License-Identifier: MIT */
/* KVM hypervisor hosts and the guests that they run. */
#include "builder/input/recipe/schema_internal.h"

#include "builder/input/recipe/patterns.h"

static const struct mkv_table guest_cpu_table = {
	.name = "cpu",
	.rows = ROWS(
		{"mode", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.cpu_mode),
		 .default_value = "host-passthrough",
		 .words = WORDS("host-passthrough", "host-model", "custom"),
		 .doc = "CPU mode of guests"},
		{"model", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.cpu_model),
		 .pattern = &pattern_cpu_model,
		 .doc = "Name of the CPU model; only with mode `custom`"},
		{"features", MKV_ROW_LIST, AT(mkv_recipe, hypervisor.features),
		 .pattern = &pattern_feature_change,
		 .doc = "Features to force (+) or hide (-)"},
		{"sockets", MKV_ROW_COUNT, AT(mkv_recipe, hypervisor.sockets),
		 .default_value = "1", .min = 1, .max = 64,
		 .doc = "Sockets per guest"},
		{"cores", MKV_ROW_COUNT, AT(mkv_recipe, hypervisor.cores),
		 .required = true, .min = 1, .max = 1024,
		 .doc = "Cores per socket"},
		{"threads", MKV_ROW_COUNT, AT(mkv_recipe, hypervisor.threads),
		 .default_value = "1", .min = 1, .max = 8,
		 .doc = "Threads per core"},
		{"caches", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.caches),
		 .default_value = "passthrough",
		 .words = WORDS("passthrough", "emulate", "disable"),
		 .doc = "Cache topology that guests see"},
		{"pin", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.pin),
		 .default_value = "one-to-one",
		 .words = WORDS("one-to-one", "none"),
		 .doc = "Whether each virtual CPU is pinned to one hardware "
			"thread of the machine"}),
};

static const struct mkv_table guest_memory_table = {
	.name = "memory",
	.rows = ROWS(
		{"size", MKV_ROW_SIZE, AT(mkv_recipe, hypervisor.memory_bytes),
		 .required = true, .min = 128 * MIB, .max = 64 * TIB,
		 .doc = "Memory per guest"},
		{"huge-pages", MKV_ROW_SIZE,
		 AT(mkv_recipe, hypervisor.huge_page_bytes),
		 .default_value = "0B", .max = GIB,
		 .doc = "Size of the huge pages that back a guest's memory, "
			"2MiB or 1GiB; 0B: none"}),
};

static const struct mkv_table guest_disk_table = {
	.name = "disk",
	.rows = ROWS(
		{"bus", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.disk_bus),
		 .default_value = "virtio",
		 .words = WORDS("virtio", "scsi", "sata"),
		 .doc = "Bus of a guest's disk"},
		{"size", MKV_ROW_SIZE, AT(mkv_recipe, hypervisor.disk_bytes),
		 .default_value = "8GiB", .min = 64 * MIB, .max = 64 * TIB,
		 .doc = "Size of a guest's disk and of the guests' images"},
		{"cache", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.disk_cache),
		 .default_value = "none",
		 .words = WORDS("none", "writeback", "writethrough",
				"directsync", "unsafe"),
		 .doc = "Cache mode on the hypervisor host"},
		{"io", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.disk_io),
		 .default_value = "native",
		 .words = WORDS("native", "threads", "io_uring"),
		 .doc = "I/O mode on the hypervisor host"},
		{"iothreads", MKV_ROW_COUNT,
		 AT(mkv_recipe, hypervisor.iothreads), .default_value = "1",
		 .max = 64,
		 .doc = "Number of I/O threads; 0: the emulator thread does "
			"I/O"}),
};

static const struct mkv_table guest_nic_table = {
	.name = "nic",
	.rows = ROWS(
		{"model", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.nic_model),
		 .default_value = "virtio", .words = WORDS("virtio", "e1000e"),
		 .doc = "Network card model of guests"},
		{"queues", MKV_ROW_COUNT, AT(mkv_recipe, hypervisor.nic_queues),
		 .default_value = "1", .min = 1, .max = 256,
		 .doc = "Number of queues"},
		{"bridge", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.bridge),
		 .default_value = "br-vlan", .pattern = &pattern_interface,
		 .doc = "Bridge that connects guests to the VLAN"}),
};

const struct mkv_table mkv_schema_hypervisor = {
	.name = "hypervisor",
	.rows = ROWS(
		{"image", MKV_ROW_REF, AT(mkv_recipe, hypervisor.image),
		 .required = true, .pattern = &pattern_name, .names = "images",
		 .doc = "Image of the hypervisor hosts"},
		{"cpu", MKV_ROW_OBJECT, .required = true,
		 .table = &guest_cpu_table, .doc = "Processor of guests"},
		{"memory", MKV_ROW_OBJECT, .required = true,
		 .table = &guest_memory_table, .doc = "Memory of guests"},
		{"disk", MKV_ROW_OBJECT, .implied = true,
		 .table = &guest_disk_table, .doc = "Disk of guests"},
		{"nic", MKV_ROW_OBJECT, .implied = true,
		 .table = &guest_nic_table, .doc = "Network card of guests"},
		{"clocksources", MKV_ROW_LIST,
		 AT(mkv_recipe, hypervisor.clocksources),
		 .default_value = "kvm-clock tsc", .min = 1,
		 .words = CLOCKSOURCES,
		 .doc = "Accepted clock sources of guests"}),
};

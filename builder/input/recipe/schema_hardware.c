/* SPDX-License-Identifier: MIT */
/* The physical machine: processor, caches, memory, drivers. */
#include "builder/input/recipe/schema_internal.h"

#include "builder/input/recipe/patterns.h"
#include "lib/hardware_limits.h"

static const struct mkv_table cache_table = {
	.name = "cache",
	.rows = ROWS(
		{"level", MKV_ROW_COUNT, AT(mkv_cache, level), .required = true,
		 .min = 1, .max = MKV_CACHE_LEVEL_MAX, .doc = "Cache level"},
		{"type", MKV_ROW_TEXT, AT(mkv_cache, type), .required = true,
		 .words = WORDS("data", "instruction", "unified"),
		 .doc = "Contents of the cache"},
		{"size", MKV_ROW_SIZE, AT(mkv_cache, size_bytes),
		 .required = true, .min = MKV_CACHE_SIZE_MIN,
		 .max = MKV_CACHE_SIZE_MAX, .doc = "Size of one instance"},
		{"ways", MKV_ROW_COUNT, AT(mkv_cache, ways),
		 .default_value = "0", .max = MKV_CACHE_WAYS_MAX,
		 .doc = "Associativity; 0 if it is not declared or the cache is "
			"fully associative"},
		{"line", MKV_ROW_COUNT, AT(mkv_cache, line_bytes),
		 .default_value = "64", .min = MKV_CACHE_LINE_MIN,
		 .max = MKV_CACHE_LINE_MAX, .doc = "Line size in bytes"},
		{"shared-by", MKV_ROW_COUNT, AT(mkv_cache, shared_by),
		 .required = true, .min = 1, .max = MKV_CACHE_SHARED_BY_MAX,
		 .doc = "Hardware threads that share one instance"}),
	.size = sizeof(struct mkv_cache),
};

static const struct mkv_table cpu_table = {
	.name = "cpu",
	.rows = ROWS(
		{"vendor", MKV_ROW_TEXT, AT(mkv_recipe, hardware.cpu_vendor),
		 .required = true, .pattern = &pattern_signature,
		 .doc = "Vendor string of CPUID leaf 0, such as AuthenticAMD"},
		{"brand", MKV_ROW_TEXT, AT(mkv_recipe, hardware.cpu_brand),
		 .required = true, .pattern = &pattern_value,
		 .doc = "Brand string of CPUID leaves 0x80000002 to "
			"0x80000004, up to the first NUL, without leading and "
			"trailing spaces; `\"\"`: none"},
		{"family", MKV_ROW_COUNT, AT(mkv_recipe, hardware.cpu_family),
		 .required = true, .max = MKV_CPU_FAMILY_MAX,
		 .doc = "Display family, with the extended family added"},
		{"model", MKV_ROW_COUNT, AT(mkv_recipe, hardware.cpu_model),
		 .required = true, .max = MKV_CPU_MODEL_MAX,
		 .doc = "Display model, with the extended model included"},
		{"stepping", MKV_ROW_COUNT,
		 AT(mkv_recipe, hardware.cpu_stepping),
		 PRESENT(mkv_recipe, hardware.has_cpu_stepping),
		 .max = MKV_CPU_STEPPING_MAX,
		 .doc = "Stepping; if it is omitted, any stepping is accepted"},
		{"features", MKV_ROW_LIST,
		 AT(mkv_recipe, hardware.cpu_features),
		 .pattern = &pattern_feature,
		 .doc = "Required features, named as in /proc/cpuinfo"},
		{"sockets", MKV_ROW_COUNT, AT(mkv_recipe, hardware.sockets),
		 .default_value = "1", .min = 1, .max = MKV_CPU_SOCKETS_MAX,
		 .doc = "Number of sockets"},
		{"cores", MKV_ROW_COUNT, AT(mkv_recipe, hardware.cores),
		 .required = true, .min = 1, .max = MKV_CPU_CORES_MAX,
		 .doc = "Cores per socket"},
		{"threads", MKV_ROW_COUNT, AT(mkv_recipe, hardware.threads),
		 .default_value = "1", .min = 1, .max = MKV_CPU_THREADS_MAX,
		 .doc = "Threads per core"}),
};

static const struct mkv_table hardware_memory_table = {
	.name = "memory",
	.rows = ROWS({"size", MKV_ROW_SIZE,
		      AT(mkv_recipe, hardware.memory_bytes), .required = true,
		      .min = MKV_MEMORY_SIZE_MIN, .max = MKV_MEMORY_SIZE_MAX,
		      .doc = "Installed memory"},
		     {"numa-nodes", MKV_ROW_COUNT,
		      AT(mkv_recipe, hardware.numa_nodes), .default_value = "1",
		      .min = 1, .max = MKV_NUMA_NODES_MAX,
		      .doc = "Number of NUMA nodes"}),
};

const struct mkv_table mkv_schema_hardware = {
	.name = "hardware",
	.rows = ROWS(
		{"name", MKV_ROW_TEXT, AT(mkv_recipe, hardware.name),
		 .required = true, .pattern = &pattern_hardware,
		 .doc = "Name of the machine; in hardware/NAME.yaml it must be "
			"NAME"},
		{"cpu", MKV_ROW_OBJECT, .required = true, .table = &cpu_table,
		 .doc = "Processor"},
		{"hypervisor", MKV_ROW_TEXT,
		 AT(mkv_recipe, hardware.hypervisor_signature),
		 PRESENT(mkv_recipe, hardware.hypervisor),
		 .pattern = &pattern_signature,
		 .doc = "Hypervisor signature in CPUID leaf 0x40000000, for an "
			"emulated machine; `\"\"`: emulated without a "
			"signature. Omit this key for a physical machine"},
		{"qemu-cpu", MKV_ROW_TEXT, AT(mkv_recipe, hardware.qemu_cpu),
		 .pattern = &pattern_cpu_model,
		 .doc = "Closest QEMU CPU model, used by `mkvbench boot`"},
		{"caches", MKV_ROW_OBJECTS, AT(mkv_recipe, hardware.caches),
		 .table = &cache_table,
		 .doc = "One entry per level and type of cache. If it is "
			"omitted, caches are not checked"},
		{"memory", MKV_ROW_OBJECT, .required = true,
		 .table = &hardware_memory_table, .doc = "Memory"},
		{"clocksources", MKV_ROW_LIST,
		 AT(mkv_recipe, hardware.clocksources), .default_value = "tsc",
		 .min = 1, .words = CLOCKSOURCES,
		 .doc = "Accepted clock sources of the kernel"},
		{"disk-driver", MKV_ROW_TEXT,
		 AT(mkv_recipe, hardware.disk_driver),
		 .pattern = &pattern_driver,
		 .doc = "Kernel driver of the root disk's controller, such as "
			"nvme or ahci"},
		{"nic-driver", MKV_ROW_TEXT,
		 AT(mkv_recipe, hardware.nic_driver),
		 .pattern = &pattern_driver,
		 .doc = "Kernel driver of the VLAN's network card"}),
};

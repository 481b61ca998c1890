/* SPDX-License-Identifier: MIT */
/* Disk images and the kernel settings that they share. */
#include "builder/input/recipe/schema_internal.h"

#include "builder/input/recipe/patterns.h"

const struct mkv_table mkv_schema_settings = {
	.name = "settings",
	.rows = ROWS(
		{"governor", MKV_ROW_TEXT, AT(mkv_recipe, settings.governor),
		 .pattern = &pattern_driver,
		 .doc = "cpufreq governor of every CPU; `none`: no cpufreq. "
			"Applies to the machine only, because guests have no "
			"governor"},
		{"boost", MKV_ROW_BOOL, AT(mkv_recipe, settings.boost),
		 PRESENT(mkv_recipe, settings.has_boost),
		 .doc = "Frequencies above the nominal frequency. Applies to "
			"the machine only"},
		{"transparent-huge-pages", MKV_ROW_TEXT,
		 AT(mkv_recipe, settings.transparent_huge_pages),
		 .words = WORDS("always", "madvise", "never"),
		 .doc = "When the kernel uses transparent huge pages"},
		{"ksm", MKV_ROW_BOOL, AT(mkv_recipe, settings.ksm),
		 PRESENT(mkv_recipe, settings.has_ksm),
		 .doc = "Kernel samepage merging"},
		{"numa-balancing", MKV_ROW_BOOL,
		 AT(mkv_recipe, settings.numa_balancing),
		 PRESENT(mkv_recipe, settings.has_numa_balancing),
		 .doc = "Automatic NUMA balancing"},
		{"io-scheduler", MKV_ROW_TEXT,
		 AT(mkv_recipe, settings.io_scheduler),
		 .words = WORDS("none", "mq-deadline", "bfq", "kyber"),
		 .doc = "I/O scheduler of every disk"},
		{"mitigations", MKV_ROW_BOOL,
		 AT(mkv_recipe, settings.mitigations),
		 PRESENT(mkv_recipe, settings.has_mitigations),
		 .doc = "Mitigations of CPU vulnerabilities; `false` adds "
			"mitigations=off to the kernel command line"},
		{"swap", MKV_ROW_TEXT, AT(mkv_recipe, settings.swap),
		 .words = WORDS("none"), .doc = "Swap is disabled"}),
};

static const struct mkv_table partition_table = {
	.name = "LABEL",
	.rows = ROWS({"size", MKV_ROW_SIZE, AT(mkv_partition, size_bytes),
		      .required = true, .min = MIB, .max = 16 * TIB,
		      .doc = "Size of the partition"},
		     {"mount", MKV_ROW_TEXT, AT(mkv_partition, mount),
		      .required = true, .pattern = &pattern_path,
		      .doc = "Mount point"}),
	.size = sizeof(struct mkv_partition),
	.key_offset = offsetof(struct mkv_partition, label),
	.key_pattern = &pattern_partition,
};

static const struct mkv_table image_disk_table = {
	.name = "disk",
	.rows = ROWS(
		{"size", MKV_ROW_SIZE, AT(mkv_image, size_bytes),
		 .derived = "the smallest size that fits; for guests "
			    "`hypervisor.disk.size`",
		 .min = 64 * MIB, .max = 64 * TIB,
		 .doc = "Size of the whole disk"},
		{"partitions", MKV_ROW_MAP, AT(mkv_image, partitions),
		 .table = &partition_table,
		 .doc = "Data partitions in addition to the root partition, by "
			"label"}),
};

static const struct mkv_table units_table = {
	.name = "units",
	.rows = ROWS({"enable", MKV_ROW_LIST, AT(mkv_image, enable),
		      .pattern = &pattern_unit,
		      .doc = "Units to enable at boot"},
		     {"mask", MKV_ROW_LIST, AT(mkv_image, mask),
		      .pattern = &pattern_unit, .doc = "Units to mask"}),
};

const struct mkv_table mkv_schema_image = {
	.name = "IMAGE",
	.rows = ROWS(
		{"platform", MKV_ROW_CHOICE, AT(mkv_image, platform),
		 .words = WORDS("metal", "guest", "hypervisor"),
		 .derived =
			 "`guest` in the scenarios kvm and kvm-docker, otherwise "
			 "`metal`",
		 .doc = "Platform of the image: the machine (`metal`), a guest, "
			"or the machine as the hypervisor host of the guests"},
		{"kernel", MKV_ROW_TEXT, AT(mkv_image, kernel),
		 .default_value = "linux-image-amd64",
		 .pattern = &pattern_package, .doc = "Kernel package"},
		{"packages", MKV_ROW_LIST, AT(mkv_image, packages),
		 .required = true, .min = 1, .pattern = &pattern_package,
		 .doc = "Packages in addition to the kernel and to the packages "
			"of priority required, which are always installed"},
		{"overlays", MKV_ROW_LIST, AT(mkv_image, overlays),
		 .pattern = &pattern_name,
		 .doc = "Directories of overlays/ that are applied to the image, "
			"in order"},
		{"programs", MKV_ROW_LIST, AT(mkv_image, programs),
		 .pattern = &pattern_name,
		 .doc = "Programs of programs/ that run natively in the image"},
		{"command-line", MKV_ROW_LIST, AT(mkv_image, cmdline),
		 .pattern = &pattern_word,
		 .doc = "Kernel parameters in addition to root="},
		{"sysctls", MKV_ROW_MAP, AT(mkv_image, sysctls),
		 .table = SETTINGS(pattern_sysctl),
		 .doc = "sysctls to set at boot"},
		{"units", MKV_ROW_OBJECT, .table = &units_table,
		 .doc = "systemd units"},
		{"containers", MKV_ROW_LIST, AT(mkv_image, containers),
		 .pattern = &pattern_name, .names = "containers",
		 .doc = "Containers that the image runs; their OCI images are "
			"included"},
		{"disk", MKV_ROW_OBJECT, .table = &image_disk_table,
		 .doc = "Disk layout"},
		{"qcow2", MKV_ROW_BOOL, AT(mkv_image, qcow2),
		 .default_value = "false", .doc = "Also write disk.qcow2"},
		{"rootfs-tar", MKV_ROW_BOOL, AT(mkv_image, rootfs_tar),
		 .default_value = "false", .doc = "Also write rootfs.tar"},
		{"uefi", MKV_ROW_BOOL, AT(mkv_image, uefi),
		 .default_value = "true",
		 .doc = "Add an EFI system partition, so that UEFI firmware can "
			"boot the disk"}),
	.size = sizeof(struct mkv_image),
	.key_offset = offsetof(struct mkv_image, name),
	.key_pattern = &pattern_name,
};

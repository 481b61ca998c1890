/* SPDX-License-Identifier: MIT */
/* The top level of a recipe. */
#include "builder/input/recipe/schema_internal.h"

#include "builder/input/recipe/patterns.h"
#include "lib/checks.h"

#define NAME(id, name, ...) name,
static const char *const check_names[] = {MKV_CHECK_CATALOGUE(NAME) NULL};
#undef NAME

static const struct mkv_table accept_table = {
	.name = "CHECK",
	.rows = ROWS({"", MKV_ROW_TEXT, AT(mkv_acceptance, reason),
		      .required = true, .pattern = &pattern_line}),
	.size = sizeof(struct mkv_acceptance),
	.key_offset = offsetof(struct mkv_acceptance, check),
	.key_words = check_names,
};

static const struct mkv_table verify_table = {
	.name = "verify",
	.rows = ROWS(
		{"mode", MKV_ROW_CHOICE, AT(mkv_recipe, verify_mode),
		 .default_value = "gate", .words = WORDS("gate", "warn"),
		 .doc = "`gate`: services start only after the verifier "
			"passes; `warn`: services always start and the receipt "
			"records the result"},
		{"sign", MKV_ROW_TEXT, AT(mkv_recipe, verify_sign),
		 .words = WORDS("tpm"),
		 .doc = "`tpm`: the machine's TPM 2.0, if present, signs the "
			"receipts of a boot; the required packages are added "
			"to the images"},
		{"accept", MKV_ROW_MAP, AT(mkv_recipe, accept),
		 .table = &accept_table,
		 .doc = "Checks that are allowed to be \"not established\", "
			"each with a reason"}),
};

const struct mkv_table mkv_schema_recipe = {
	.name = "recipe",
	.rows = ROWS(
		{"mkvbench", MKV_ROW_COUNT, .no_member = true, .required = true,
		 .min = 1, .max = 1, .doc = "Version of the recipe language"},
		{"name", MKV_ROW_TEXT, AT(mkv_recipe, name), .required = true,
		 .pattern = &pattern_name,
		 .doc = "Name of the appliance, which is written to images/NAME/"},
		{"suite", MKV_ROW_TEXT, AT(mkv_recipe, suite),
		 .default_value = "trixie",
		 .words = WORDS("trixie", "bookworm"), .doc = "Debian release"},
		{"scenario", MKV_ROW_CHOICE, AT(mkv_recipe, scenario),
		 .required = true,
		 .words = WORDS("bare-metal", "docker", "kvm", "kvm-docker"),
		 .doc = "Environment in which the application runs"},
		{"hardware", MKV_ROW_OBJECT, .required = true,
		 .table = &mkv_schema_hardware,
		 .doc = "Machine that the results are claimed for: either a "
			"mapping, or the NAME of a file hardware/NAME.yaml in "
			"this file's directory or its parent directory"},
		{"vlan", MKV_ROW_OBJECT, .required = true,
		 .table = &mkv_schema_vlan,
		 .doc = "Private network between the hosts"},
		{"time", MKV_ROW_OBJECT, .required = true,
		 .table = &mkv_schema_time,
		 .doc = "Time server, and how closely the hosts must follow it"},
		{"settings", MKV_ROW_OBJECT, .table = &mkv_schema_settings,
		 .doc = "Kernel settings of all images, which the verifier "
			"checks. A setting that is omitted is neither set nor "
			"checked. SMT follows from hardware.cpu.threads, clock "
			"sources from hardware.clocksources"},
		{"hosts", MKV_ROW_MAP, AT(mkv_recipe, hosts), .required = true,
		 .min = 1, .table = &mkv_schema_host, .doc = "Hosts, by name"},
		{"images", MKV_ROW_MAP, AT(mkv_recipe, images),
		 .required = true, .min = 1, .table = &mkv_schema_image,
		 .doc = "Disk images, by name (attestations, libvirt, oci and pxe "
			"are reserved for directories of the appliance)"},
		{"services", MKV_ROW_MAP, AT(mkv_recipe, services),
		 .table = &mkv_schema_service,
		 .doc = "Settings of the application's services, by program. The "
			"program reads `large_file` as MKVBENCH_LARGE_FILE. "
			"Containers whose OCI image includes the program get its "
			"settings in their environment"},
		{"oci", MKV_ROW_MAP, AT(mkv_recipe, oci_images),
		 .table = &mkv_schema_oci, .doc = "OCI images, by name"},
		{"containers", MKV_ROW_MAP, AT(mkv_recipe, containers),
		 .table = &mkv_schema_container, .doc = "Containers, by name"},
		{"docker", MKV_ROW_OBJECT, .table = &mkv_schema_docker,
		 .doc = "Docker settings of the hosts that run containers"},
		{"hypervisor", MKV_ROW_OBJECT,
		 PRESENT(mkv_recipe, has_hypervisor),
		 .table = &mkv_schema_hypervisor,
		 .doc = "KVM hypervisor hosts and their guests, for the scenarios "
			"kvm and kvm-docker"},
		{"experiment", MKV_ROW_OBJECT,
		 PRESENT(mkv_recipe, has_experiment),
		 .table = &mkv_schema_experiment,
		 .doc = "Load of a measurement and the services that it "
			"measures, for campaigns (CAMPAIGNS.md)"},
		{"verify", MKV_ROW_OBJECT, .implied = true,
		 .table = &verify_table,
		 .doc = "Behaviour of the verifier at boot"}),
	.size = sizeof(struct mkv_recipe),
};

/* struct mkv_items requires the count directly after the pointer. */
#define COUNTED(type, list, n)                                                 \
	_Static_assert(offsetof(struct type, n) ==                             \
			       offsetof(struct type, list) + sizeof(void *),   \
		       "count behind its list")
COUNTED(mkv_hardware, caches, n_caches);
COUNTED(mkv_image, partitions, n_partitions);
COUNTED(mkv_container, mounts, n_mounts);
COUNTED(mkv_recipe, hosts, n_hosts);
COUNTED(mkv_recipe, images, n_images);
COUNTED(mkv_recipe, services, n_services);
COUNTED(mkv_recipe, oci_images, n_oci_images);
COUNTED(mkv_recipe, containers, n_containers);
COUNTED(mkv_recipe, accept, n_accept);
COUNTED(mkv_experiment, fields, n_fields);
COUNTED(mkv_experiment, services, n_services);
COUNTED(mkv_strings, items, count);
COUNTED(mkv_settings, items, count);

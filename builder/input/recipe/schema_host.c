/* SPDX-License-Identifier: MIT */
/* Hosts, their network and their time. */
#include "builder/input/recipe/schema_internal.h"

#include "builder/input/recipe/patterns.h"

const struct mkv_table mkv_schema_vlan = {
	.name = "vlan",
	.rows = ROWS(
		{"id", MKV_ROW_COUNT, AT(mkv_recipe, vlan.id), .required = true,
		 .min = 1, .max = 4094, .doc = "VLAN ID"},
		{"subnet", MKV_ROW_TEXT, AT(mkv_recipe, vlan.subnet),
		 .required = true, .pattern = &pattern_subnet,
		 .doc = "IPv4 subnet"},
		{"nic", MKV_ROW_COUNT, AT(mkv_recipe, vlan.nic),
		 .default_value = "2", .min = 1, .max = 16,
		 .doc = "Network card that carries the VLAN, counted from 1"},
		{"mtu", MKV_ROW_COUNT, AT(mkv_recipe, vlan.mtu),
		 .default_value = "1500", .min = 1280, .max = 9216,
		 .doc = "MTU in bytes"}),
};

const struct mkv_table mkv_schema_time = {
	.name = "time",
	.rows = ROWS(
		{"server", MKV_ROW_TEXT, AT(mkv_recipe, time.server),
		 .required = true, .pattern = &pattern_name, .names = "hosts",
		 .doc = "Host that is the time server of all other hosts"},
		{"upstream", MKV_ROW_LIST, AT(mkv_recipe, time.upstream),
		 .pattern = &pattern_server,
		 .doc = "Time sources of the server; if it is omitted, the "
			"server uses its own clock"},
		{"limit", MKV_ROW_DURATION, AT(mkv_recipe, time.limit_ns),
		 .default_value = "80us", .min = US, .max = 10 * S,
		 .doc = "Maximum offset from the server's clock"},
		{"settle", MKV_ROW_DURATION, AT(mkv_recipe, time.settle_ns),
		 .default_value = "180s", .max = 3600 * S,
		 .doc = "Maximum time after boot until the offset is within "
			"the limit"},
		{"dwell", MKV_ROW_DURATION, AT(mkv_recipe, time.dwell_ns),
		 .default_value = "60s", .max = 3600 * S,
		 .doc = "Time that the offset must then stay within the "
			"limit"}),
};

const struct mkv_table mkv_schema_host = {
	.name = "HOST",
	.rows = ROWS(
		{"image", MKV_ROW_REF, AT(mkv_host, image), .required = true,
		 .pattern = &pattern_name, .names = "images",
		 .doc = "Image that the host boots"},
		{"role", MKV_ROW_TEXT, AT(mkv_host, role),
		 .pattern = &pattern_name, .derived = "the host's name",
		 .doc = "Role of the host; containers are assigned to hosts by "
			"role"},
		{"address", MKV_ROW_TEXT, AT(mkv_host, address),
		 .required = true, .pattern = &pattern_address,
		 .doc = "Address in the VLAN"},
		{"mac", MKV_ROW_TEXT, AT(mkv_host, mac), .required = true,
		 .lower = true, .pattern = &pattern_mac,
		 .doc = "MAC address of the VLAN's network card"},
		{"tpm-key", MKV_ROW_TEXT, AT(mkv_host, tpm_key), .lower = true,
		 .pattern = &pattern_sha256,
		 .doc = "SHA-256 of the key with which the machine's TPM signs, "
			"as `mkvbench-verify --tpm-key` prints it on that "
			"machine"},
		{"guests", MKV_ROW_LIST, AT(mkv_host, guests),
		 .pattern = &pattern_name, .names = "hosts",
		 .doc = "Hosts that run as guests of this host; only for "
			"hypervisor hosts"}),
	.size = sizeof(struct mkv_host),
	.key_offset = offsetof(struct mkv_host, name),
	.key_pattern = &pattern_name,
};

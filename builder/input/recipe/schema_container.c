/* SPDX-License-Identifier: MIT */
/* Services, OCI images, containers and Docker. */
#include "builder/input/recipe/schema_internal.h"

#include "builder/input/recipe/patterns.h"

const struct mkv_table mkv_schema_service = {
	.name = "SERVICE",
	.rows = ROWS({"", MKV_ROW_MAP, AT(mkv_service, settings),
		      .table = SETTINGS(pattern_setting)}),
	.size = sizeof(struct mkv_service),
	.key_offset = offsetof(struct mkv_service, name),
	.key_pattern = &pattern_name,
};

const struct mkv_table mkv_schema_oci = {
	.name = "OCI",
	.rows = ROWS(
		{"external", MKV_ROW_TEXT, AT(mkv_oci_image, external),
		 .pattern = &pattern_oci,
		 .doc = "Reference of an image in a registry, which the lock pins "
			"by digest, instead of a built image; excludes all other "
			"keys"},
		{"packages", MKV_ROW_LIST, AT(mkv_oci_image, packages),
		 .pattern = &pattern_package,
		 .doc = "Debian packages to install"},
		{"overlays", MKV_ROW_LIST, AT(mkv_oci_image, overlays),
		 .pattern = &pattern_name,
		 .doc = "Directories of overlays/ to apply, in order"},
		{"programs", MKV_ROW_LIST, AT(mkv_oci_image, programs),
		 .pattern = &pattern_name,
		 .doc = "Programs of programs/ to install in /usr/bin"},
		{"user", MKV_ROW_TEXT, AT(mkv_oci_image, user),
		 .pattern = &pattern_user, .derived = "root",
		 .doc = "User that runs the program"},
		{"entrypoint", MKV_ROW_LIST, AT(mkv_oci_image, entrypoint),
		 .repeats = true, .pattern = &pattern_line,
		 .doc = "Program and its first arguments"},
		{"command", MKV_ROW_LIST, AT(mkv_oci_image, command),
		 .repeats = true, .pattern = &pattern_line,
		 .doc = "Arguments after those of the entrypoint"},
		{"volumes", MKV_ROW_LIST, AT(mkv_oci_image, volumes),
		 .pattern = &pattern_path, .doc = "Paths declared as volumes"},
		{"ports", MKV_ROW_LIST, AT(mkv_oci_image, ports),
		 .pattern = &pattern_port,
		 .doc = "Ports that the program listens on"},
		{"environment", MKV_ROW_MAP, AT(mkv_oci_image, environment),
		 .table = SETTINGS(pattern_variable),
		 .doc = "Environment variables"},
		{"labels", MKV_ROW_MAP, AT(mkv_oci_image, labels),
		 .table = SETTINGS(pattern_label), .doc = "Labels"},
		{"working-dir", MKV_ROW_TEXT, AT(mkv_oci_image, working_dir),
		 .pattern = &pattern_path, .derived = "/",
		 .doc = "Working directory"},
		{"stop-signal", MKV_ROW_TEXT, AT(mkv_oci_image, stop_signal),
		 .pattern = &pattern_signal, .derived = "SIGTERM",
		 .doc = "Signal that stops the container"}),
	.size = sizeof(struct mkv_oci_image),
	.key_offset = offsetof(struct mkv_oci_image, name),
	.key_pattern = &pattern_name,
};

static const struct mkv_table mount_table = {
	.name = "VOLUME",
	.rows = ROWS({"", MKV_ROW_TEXT, AT(mkv_mount, path), .required = true,
		      .pattern = &pattern_path}),
	.size = sizeof(struct mkv_mount),
	.key_offset = offsetof(struct mkv_mount, volume),
	.key_pattern = &pattern_name,
	.key_names = "docker.volumes",
};

const struct mkv_table mkv_schema_container = {
	.name = "CONTAINER",
	.rows = ROWS(
		{"oci", MKV_ROW_TEXT, AT(mkv_container, oci), .required = true,
		 .pattern = &pattern_name, .names = "oci",
		 .doc = "OCI image that the container runs"},
		{"network", MKV_ROW_TEXT, AT(mkv_container, network),
		 .required = true, .pattern = &pattern_name,
		 .names = "docker.network.name", .also = "host",
		 .doc = "Docker network of the container, or `host`"},
		{"mounts", MKV_ROW_MAP, AT(mkv_container, mounts),
		 .table = &mount_table,
		 .doc = "Mount point in the container of each volume"},
		{"ports", MKV_ROW_LIST, AT(mkv_container, ports),
		 .pattern = &pattern_publish,
		 .doc = "Ports to publish on the host"},
		{"environment", MKV_ROW_MAP, AT(mkv_container, environment),
		 .table = SETTINGS(pattern_variable),
		 .doc = "Environment variables in addition to the OCI image's"},
		{"roles", MKV_ROW_LIST, AT(mkv_container, roles),
		 .pattern = &pattern_name, .derived = "all",
		 .doc = "Roles of the hosts that run the container"}),
	.size = sizeof(struct mkv_container),
	.key_offset = offsetof(struct mkv_container, name),
	.key_pattern = &pattern_name,
};

static const struct mkv_table network_table = {
	.name = "network",
	.rows = ROWS({"name", MKV_ROW_TEXT, AT(mkv_recipe, docker.network.name),
		      .required = true, .pattern = &pattern_name,
		      .doc = "Name of the network"},
		     {"driver", MKV_ROW_TEXT,
		      AT(mkv_recipe, docker.network.driver),
		      .default_value = "bridge", .words = WORDS("bridge"),
		      .doc = "Network driver"},
		     {"subnet", MKV_ROW_TEXT,
		      AT(mkv_recipe, docker.network.subnet), .required = true,
		      .pattern = &pattern_subnet, .doc = "IPv4 subnet"}),
};

const struct mkv_table mkv_schema_docker = {
	.name = "docker",
	.rows = ROWS({"storage-driver", MKV_ROW_TEXT,
		      AT(mkv_recipe, docker.storage_driver),
		      .default_value = "overlay2",
		      .words = WORDS("overlay2", "fuse-overlayfs", "btrfs",
				     "zfs", "vfs"),
		      .doc = "Docker's storage driver"},
		     {"network", MKV_ROW_OBJECT, .table = &network_table,
		      .doc = "Network between containers"},
		     {"volumes", MKV_ROW_LIST, AT(mkv_recipe, docker.volumes),
		      .pattern = &pattern_name, .doc = "Named volumes"}),
};

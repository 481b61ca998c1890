/* SPDX-License-Identifier: MIT */
#pragma once
/* Patterns of the texts that a recipe or a campaign may contain. PATTERN
 * defines a further one in a source file. */

#include "builder/input/recipe/schema.h"
#include "lib/template.h"

#define PATTERN(name, max, people, expression)                                 \
	static const struct mkv_pattern name = {expression, people, max, false}

PATTERN(pattern_name, 63,
	"a name of lower-case letters, digits and hyphens that starts with a "
	"letter",
	"^[a-z][a-z0-9-]*$");
PATTERN(pattern_hardware, 63,
	"a name of lower-case letters, digits, hyphens and dots",
	"^[a-z0-9][a-z0-9.-]*$");
PATTERN(pattern_interface, 15,
	"a network interface name of at most 15 characters",
	"^[a-z][a-z0-9-]*$");
PATTERN(pattern_package, 128, "a Debian package name",
	"^[a-z0-9][a-z0-9+.-]+$");
PATTERN(pattern_server, 253, "a host name or an address",
	"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$");
PATTERN(pattern_address, 15, "an IPv4 address such as 10.77.0.11",
	"^[0-9]{1,3}([.][0-9]{1,3}){3}$");
PATTERN(pattern_subnet, 18, "an IPv4 network such as 10.77.0.0/24",
	"^[0-9]{1,3}([.][0-9]{1,3}){3}/[0-9]{1,2}$");
PATTERN(pattern_mac, 17, "a MAC address such as 52:54:00:77:00:11",
	"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$");
PATTERN(pattern_sha256, 64, "a SHA-256 digest of 64 hexadecimal digits",
	"^[0-9A-Fa-f]{64}$");
PATTERN(pattern_word, 512, "a kernel parameter without spaces or double quotes",
	"^[!#-~]+$");
PATTERN(pattern_sysctl, 128, "a sysctl name such as vm.swappiness",
	"^[A-Za-z0-9_][A-Za-z0-9_./-]*$");
PATTERN(pattern_unit, 255,
	"a systemd unit name with its suffix such as chrony.service",
	"^[A-Za-z0-9_][A-Za-z0-9:_.@-]*[.](service|socket|timer|target|mount|"
	"automount|path|slice|swap)$");
PATTERN(pattern_path, 255,
	"an absolute path such as /var/lib/db, without . and .. components",
	"^(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)+$");
PATTERN(pattern_user, 65,
	"a user, or a user and a group such as postgres:postgres",
	"^[a-z0-9_][a-z0-9_-]*(:[a-z0-9_][a-z0-9_-]*)?$");
PATTERN(pattern_driver, 64,
	"a name that the kernel uses, such as performance or virtio_blk",
	"^[a-z0-9][a-z0-9_-]*$");
PATTERN(pattern_feature, 64, "a CPU feature name", "^[a-z0-9][a-z0-9_.-]*$");
PATTERN(pattern_feature_change, 65, "a CPU feature name prefixed with + or -",
	"^[+-][a-z0-9][a-z0-9_.-]*$");
PATTERN(pattern_cpu_model, 64, "a CPU model name such as EPYC-Rome",
	"^[A-Za-z0-9][A-Za-z0-9_.-]*$");
PATTERN(pattern_port, 9, "a port such as 5432 or 5432/tcp",
	"^[0-9]{1,5}(/(tcp|udp))?$");
PATTERN(pattern_publish, 64,
	"a published port, [ADDRESS:]PORT:CONTAINER-PORT, such as "
	"8080:8080/tcp",
	"^([0-9]{1,3}([.][0-9]{1,3}){3}:)?[0-9]{1,5}:[0-9]{1,5}(/(tcp|udp))?$");
PATTERN(pattern_variable, 128, "an environment variable name",
	"^[A-Za-z_][A-Za-z0-9_]*$");
PATTERN(pattern_setting, 64, "a setting name such as large_file",
	"^[a-z][a-z0-9_]*$");
PATTERN(pattern_partition, 16,
	"a label of at most 16 lower-case letters, digits and hyphens",
	"^[a-z][a-z0-9-]*$");
PATTERN(pattern_label, 128, "a label name", "^[A-Za-z0-9][A-Za-z0-9._/-]*$");
PATTERN(pattern_oci, 320,
	"an OCI image reference such as registry.example/db:17",
	"^[a-z0-9]([a-z0-9._/-]|:[0-9]+/)*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?"
	"(@sha256:[0-9a-f]{64})?$");
static const struct mkv_pattern pattern_signature = {
	.regex = "^([[-^]x[0-9A-Fa-f]{2}|[ -~]){0,12}$",
	.description = "at most 12 bytes such as KVMKVMKVM, each a printable "
		       "character or an escape as in `KVM\\x00KVM`",
	.max_length = 12,
	.escaped = true,
};
PATTERN(pattern_url_path, 1000,
	"the path of a URL such as /orders/create/id/{user}", "^/[!$-~]*$");
PATTERN(pattern_header, 64, "a header name such as Content-Type",
	"^[A-Za-z0-9_-]+$");
PATTERN(pattern_body, 16000, "one line of text", "^[^\x01-\x1f\x7f]+$");
PATTERN(pattern_field, MKV_TEMPLATE_NAME_MAX,
	"a field name such as user or item_id", "^[a-z][a-z0-9_-]*$");
PATTERN(pattern_upper, 64,
	"the name of a setting in capital letters such as LARGE_FILE",
	"^[A-Z][A-Z0-9_]*$");
PATTERN(pattern_service, 200, "a service unit such as nginx.service",
	"^[A-Za-z0-9_][A-Za-z0-9:_.@-]*[.]service$");
PATTERN(pattern_signal, 16, "a signal name such as SIGTERM",
	"^SIG[A-Z0-9+-]+$");
PATTERN(pattern_line, 1000, "one line of text", "^[^\x01-\x1f\x7f]+$");
PATTERN(pattern_value, 1000, "one line of text, possibly empty",
	"^[^\x01-\x1f\x7f]*$");

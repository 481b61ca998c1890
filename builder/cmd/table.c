/* SPDX-License-Identifier: MIT */
#include "builder/cmd/cmd.h"

const struct mkv_command mkv_commands[] = {
	{"build", "build the appliances of recipes", mkv_cmd_build},
	{"lock", "pin every input of recipes by hash", mkv_cmd_lock},
	{"check", "say everything that is wrong with recipes", mkv_cmd_check},
	{"plan", "say what would be built, and why", mkv_cmd_plan},
	{"audit", "check a finished appliance or disk image", mkv_cmd_audit},
	{"boot", "try appliances under QEMU", mkv_cmd_boot},
	{"import", "put an appliance's guests into libvirt", mkv_cmd_import},
	{"receipt", "check receipts against an appliance's contract",
	 mkv_cmd_receipt},
	{"keygen", "make the key that builds are signed with", mkv_cmd_keygen},
	{"completion", "print the completion script of a shell",
	 mkv_cmd_completion},
	{0},
};

/* SPDX-License-Identifier: MIT */
#include "builder/cmd/cmd.h"

const struct mkv_command mkv_commands[] = {
	{"audit", "check a finished appliance or disk image", mkv_cmd_audit},
	{"keygen", "make the key that builds are signed with", mkv_cmd_keygen},
	{"lock", "pin every input of recipes by hash", mkv_cmd_lock},
	{"check", "say everything that is wrong with recipes", mkv_cmd_check},
	{"boot", "try it under QEMU here, and print the receipts",
	 mkv_cmd_boot},
	{0},
};

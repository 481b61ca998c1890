/* SPDX-License-Identifier: MIT */
#include "builder/cmd/cmd.h"

const struct mkv_command mkv_commands[] = {
	{"keygen", "make the key that builds are signed with", mkv_cmd_keygen},
	{0},
};

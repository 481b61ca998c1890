/* SPDX-License-Identifier: MIT */
#include "builder/cmd/cmd.h"

const struct mkv_command mkv_commands[] = {
	{0},
};

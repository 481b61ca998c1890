/* SPDX-License-Identifier: MIT */
#include "builder/cmd/cmd.h"

const struct mkv_verb mkv_verbs[] = {
	{"build", "build the appliances of recipes", mkv_cmd_build},
	{"lock", "pin every input of recipes by hash", mkv_cmd_lock},
	{"check", "report every mistake in recipes", mkv_cmd_check},
	{"plan", "list what a build would do, and why", mkv_cmd_plan},
	{"audit", "check a finished appliance, disk image or result bundle",
	 mkv_cmd_audit},
	{"boot",
	 "boot an appliance's hosts under QEMU and print their receipts",
	 mkv_cmd_boot},
	{"run", "run a campaign and collect its results", mkv_cmd_run},
	{"import", "define an appliance's guests in libvirt", mkv_cmd_import},
	{"receipt", "check receipts against an appliance's contract",
	 mkv_cmd_receipt},
	{"export", "write a result bundle's data in formats of others",
	 mkv_cmd_export},
	{"keygen", "make the key that signs builds", mkv_cmd_keygen},
	{"completion", "print the completion script of a shell",
	 mkv_cmd_completion},
	{0},
};

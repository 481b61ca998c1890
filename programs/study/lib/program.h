/* SPDX-License-Identifier: MIT */
#pragma once
/* What the programs' main functions share: arguments, settings, how an error is
 * told and with which status it ends. */

#include "programs/study/lib/settings.h"

struct mkv_program {
	const char *name; /* "order" */
	/* All that it knows; the list ends with NULL. */
	const struct mkv_service_setting *const *settings;
	/* Runs with the settings read: 0, a negative errno with err, or a
	 * positive exit status of its own. */
	int (*run)(const struct mkv_program *program, struct mkv_error *err);
	const void *context; /* of run */
};

/* The program's exit status. A name server has a second to answer
 * (resolv.conf(5)), unless RES_OPTIONS says otherwise. It takes no argument, or
 * --settings, which prints mkv_settings_print()'s lines of every table. */
int mkv_program_main(const struct mkv_program *program, int argc,
		     char **argv) mkv_must_check mkv_nonnull(1, 3);

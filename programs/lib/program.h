/* SPDX-License-Identifier: MIT */
#pragma once
/* Common main function of the programs: arguments, settings, error log and exit
 * status. */

#include "programs/lib/settings.h"

struct mkv_program {
	const char *name; /* "order" */
	/* Tables of its settings; the list ends with NULL. */
	const struct mkv_service_setting *const *settings;
	/* Called after the settings were read. Returns 0, a negative errno with
	 * err, or a positive exit status. */
	int (*run)(const struct mkv_program *program, struct mkv_error *err);
	/* Called instead with the argument --clean-up: brings what the program
	 * has stored into the state of a first start. NULL: no such argument.
	 */
	int (*clean_up)(const struct mkv_program *program,
			struct mkv_error *err);
	const void *context; /* of run and clean_up */
};

/* Raises the limit of open descriptors to `needed`, if it is lower.
 * MKV_HOST_CANNOT, -EMFILE, with `what` for: "64 connections". */
int mkv_program_allow_descriptors(uint64_t needed, const char *what,
				  struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);

/* Returns the program's exit status. Arguments are --settings, which prints all
 * tables with mkv_settings_print(), and --clean-up. Unless RES_OPTIONS is set,
 * a name server has one second to answer (resolv.conf(5)). */
int mkv_program_main(const struct mkv_program *program, int argc,
		     char **argv) mkv_must_check mkv_nonnull(1, 3);

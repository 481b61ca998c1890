/* SPDX-License-Identifier: MIT */
#pragma once
/* The verbs: one file builder/cmd/VERB.c and one row of the table in table.c.
 */

#include "lib/error.h"

struct mkv_command {
	const char *name;
	const char *summary; /* one line for `mkvbench --help` */
	/* argv[0] is not an option; options and operands follow. 0, or a
	 * negative errno with *err set; an empty message was printed already.
	 */
	int (*run)(int argc, char **argv, struct mkv_error *err);
};

/* In the order of the help; ends with a NULL name. */
extern const struct mkv_command mkv_commands[];

/* Declared here, defined in their files. */
int mkv_cmd_check(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_lock(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_plan(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_build(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_audit(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_boot(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_receipt(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_import(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_keygen(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_completion(int argc, char **argv, struct mkv_error *err);

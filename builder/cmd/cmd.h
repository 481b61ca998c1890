/* SPDX-License-Identifier: MIT */
#pragma once
/* The verbs. Each is one file builder/cmd/VERB.c and one row in table.c. */

#include "lib/error.h"

struct mkv_verb {
	const char *name;
	const char *summary; /* one line for `mkvbench --help` */
	/* Options and operands follow argv[0]. Returns 0, or a negative errno
	 * with *err set; an empty message means that the diagnostics were
	 * printed already. */
	int (*run)(int argc, char **argv, struct mkv_error *err);
};

/* In the order of `mkvbench --help`; the last row has a NULL name. */
extern const struct mkv_verb mkv_verbs[];

/* Defined in builder/cmd/VERB.c. */
int mkv_cmd_check(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_lock(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_plan(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_build(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_export(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_audit(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_boot(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_run(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_receipt(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_import(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_keygen(int argc, char **argv, struct mkv_error *err);
int mkv_cmd_completion(int argc, char **argv, struct mkv_error *err);

/* SPDX-License-Identifier: MIT */
#pragma once
/* The options of a verb: one table for parsing, `--help` and completion. */

#include <stdbool.h>

#include "lib/error.h"

struct mkv_option {
	const char *name;	 /* "--store" */
	const char *placeholder; /* "DIR"; NULL for a switch; "NAME[,NAME]" for
				    a list, which may be repeated */
	const char *help;	 /* one line */
	const char **value;	 /* set to the argument */
	bool *flag;		 /* set by a switch */
};

struct mkv_usage {
	const char *synopsis;		  /* "RECIPE.yaml ..." */
	const char *description;	  /* a paragraph or two */
	const struct mkv_option *options; /* ends with a NULL name */
	int min_operands, max_operands;	  /* max -1: any number */
};

/* Parses argv[1..]: `--opt VALUE` and `--opt=VALUE`, operands anywhere; `--`
 * ends the options. Operands are moved to the front of argv and counted in
 * *ret_operands. `--help` prints the help and sets *ret_done. A bad command
 * line is MKV_BAD_USAGE with a suggestion. Repeated lists are joined by commas;
 * any other value that is given twice is MKV_BAD_USAGE. Values live as long as
 * argv, joined ones until the next command line is parsed. */
int mkv_options_parse(const char *verb, const struct mkv_usage *usage, int argc,
		      char **argv, int *ret_operands, bool *ret_done,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5, 6, 7);

/* Called with the options of a verb instead of parsing a command line. */
typedef void mkv_options_visit(const char *verb, const struct mkv_usage *usage,
			       void *context);
/* From now on mkv_options_parse() calls `visit` and sets *ret_done; it parses
 * again after a call with NULL. */
void mkv_options_set_visit(mkv_options_visit *visit, void *context);

/* True when the option may be repeated: "NAME[,NAME]". */
bool mkv_option_is_list(const struct mkv_option *option) mkv_nonnull(1);

/* Splits "a,b,c" in place into at most `max` words, borrowed from `text`.
 * Returns their number. */
size_t mkv_options_split(char *text, const char **ret, size_t max)
	mkv_nonnull(1, 2);

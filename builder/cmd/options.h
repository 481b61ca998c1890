/* SPDX-License-Identifier: MIT */
#pragma once
/* Options of a verb: one table, from which parsing, `--help` and the tests of
 * both come. */

#include <stdbool.h>

#include "lib/error.h"

struct mkv_option {
	const char *name;	 /* "--store" */
	const char *placeholder; /* "DIR"; NULL for a switch; "NAME[,NAME]": a
				    list, which may be repeated */
	const char *help;	 /* one line */
	const char **value;	 /* where an argument goes */
	bool *flag;		 /* where a switch goes */
};

struct mkv_usage {
	const char *synopsis;		  /* "RECIPE.yaml ..." */
	const char *description;	  /* a paragraph or two */
	const struct mkv_option *options; /* ends with a NULL name */
	int min_operands, max_operands;	  /* max -1: any number */
};

/* Parses argv[1..]. `--opt VALUE` and `--opt=VALUE`, operands anywhere, `--`
 * ends options. Operands are moved to the front of argv and counted in
 * *ret_operands. `--help` prints and sets *ret_done. A mistake is MKV_BAD_USAGE
 * with a suggestion. A list that is repeated becomes one, joined by commas; any
 * other value that is given twice is a mistake. Values live as long as argv,
 * or, joined, until the next command line is parsed. */
int mkv_options_parse(const char *verb, const struct mkv_usage *usage, int argc,
		      char **argv, int *ret_operands, bool *ret_done,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5, 6, 7);

/* Is called with the table of a verb, in the place of parsing. */
typedef void mkv_options_visit(const char *verb, const struct mkv_usage *usage,
			       void *context);
/* From here on mkv_options_parse() calls `visit`, sets *ret_done and parses
 * nothing; NULL ends that. */
void mkv_options_set_visit(mkv_options_visit *visit, void *context);

/* Whether it may be repeated: "NAME[,NAME]". */
bool mkv_option_is_list(const struct mkv_option *option) mkv_nonnull(1);

/* Takes "a,b,c" apart in place; at most `most` words, borrowed from the text.
 */
size_t mkv_options_split(char *text, const char **ret, size_t most)
	mkv_nonnull(1, 2);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Completion scripts for bash and zsh, written from a program's option tables:
 * one function for each command, then the program's own. The values that a
 * shell offers follow from placeholders and operands ("DIR", "FILE",
 * "RECIPE.yaml", "auto|kvm|tcg"). */

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/error.h"

enum mkv_shell {
	MKV_SHELL_BASH,
	MKV_SHELL_ZSH,
};

/* All texts are borrowed from the tables of builder/cmd and verify/options.c.
 */
struct mkv_completion_option {
	const char *name;	 /* "--store" */
	const char *placeholder; /* "DIR"; NULL for a switch */
	const char *help;	 /* one line */
	const char *words;	 /* "a|b|c": its values; NULL: they
				    follow from the placeholder */
	bool repeats;		 /* may be given more than once */
};

struct mkv_completion_command {
	const char *name;     /* the verb; NULL when the program has none */
	const char *summary;  /* NULL without a verb */
	const char *synopsis; /* the operands: "RECIPE.yaml ..." */
	const struct mkv_completion_option *options;
	size_t n_options;
};

/* Parses "bash" or "zsh"; any other name is MKV_BAD_USAGE. */
int mkv_completion_shell(const char *name, enum mkv_shell *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Writes the script's head: the first of the calls that write a script. */
void mkv_completion_begin(enum mkv_shell shell, const char *program,
			  struct mkv_buf *into) mkv_nonnull(2, 3);
/* Writes the function of one command. */
void mkv_completion_command(enum mkv_shell shell, const char *program,
			    const struct mkv_completion_command *command,
			    struct mkv_buf *into) mkv_nonnull(2, 3, 4);
/* Writes the program's own function, which uses only the names and summaries of
 * `commands`. `fallback` is the verb of a command line that begins with an
 * operand or an option; NULL when the program has no verbs. */
void mkv_completion_end(enum mkv_shell shell, const char *program,
			const struct mkv_completion_command *commands,
			size_t n_commands, const char *fallback,
			struct mkv_buf *into) mkv_nonnull(2, 6);

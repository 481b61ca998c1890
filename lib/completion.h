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

/* Borrowed texts, as in the tables of builder/cmd and verify/options.c. */
struct mkv_completion_option {
	const char *name;	 /* "--store" */
	const char *placeholder; /* "DIR"; NULL: a switch */
	const char *help;	 /* one line */
	const char *words;	 /* "a|b|c": its values; NULL: as the
				    placeholder says */
	bool repeats;		 /* it may be given more than once */
};

struct mkv_completion_command {
	const char *name;     /* a verb; NULL: the program has no verbs */
	const char *summary;  /* NULL without a name */
	const char *synopsis; /* its operands: "RECIPE.yaml ..." */
	const struct mkv_completion_option *options;
	size_t n_options;
};

/* "bash" or "zsh"; anything else is MKV_BAD_USAGE. */
int mkv_completion_shell(const char *name, enum mkv_shell *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Writes the head of the script. */
void mkv_completion_begin(enum mkv_shell shell, const char *program,
			  struct mkv_buf *into) mkv_nonnull(2, 3);
/* Writes a command's function. */
void mkv_completion_command(enum mkv_shell shell, const char *program,
			    const struct mkv_completion_command *command,
			    struct mkv_buf *into) mkv_nonnull(2, 3, 4);
/* Writes the program's function: of the commands only names and summaries are
 * used. `fallback` is the verb of a command line that begins with an operand or
 * an option; NULL where the program has no verbs. */
void mkv_completion_end(enum mkv_shell shell, const char *program,
			const struct mkv_completion_command *commands,
			size_t n_commands, const char *fallback,
			struct mkv_buf *into) mkv_nonnull(2, 6);

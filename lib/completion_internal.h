/* SPDX-License-Identifier: MIT */
#pragma once
/* What the writers of both shells use. */

#include "lib/completion.h"

/* What an operand or a value can be. */
enum mkv_completion_type {
	MKV_COMPLETION_OTHER, /* nothing that a shell knows */
	MKV_COMPLETION_DIRECTORY,
	MKV_COMPLETION_FILE,
	MKV_COMPLETION_SUFFIX, /* a file whose name ends in `text`: ".yaml" */
	MKV_COMPLETION_WORD,   /* `text` itself */
};
struct mkv_completion_kind {
	enum mkv_completion_type type;
	const char *text; /* not terminated */
	size_t length;
};

/* The next of alternatives "A|B"; false after the last. Advances *rest. */
bool mkv_completion_next_kind(const char **rest, const char *end,
			      struct mkv_completion_kind *ret)
	mkv_nonnull(1, 2, 3);

/* The next operand of a synopsis, its alternatives included; *ret_repeats: it
 * is followed by "...". False after the last. Advances *rest. */
bool mkv_completion_next_operand(const char **rest, const char **ret,
				 size_t *ret_length, bool *ret_repeats)
	mkv_nonnull(1, 2, 3, 4);

/* The name of a program's function, or of one of its commands', with `dash` for
 * each
 * '-': bash in POSIX mode takes none in names; zsh looks for the function that
 * is named like the file. */
void mkv_completion_function(const char *program, char dash,
			     const char *command, struct mkv_buf *into)
	mkv_nonnull(1, 4);

/* Appends a text in which each '%' stands for the program's function. */
void mkv_completion_template(const char *text, const char *program, char dash,
			     struct mkv_buf *into) mkv_nonnull(1, 2, 4);

void mkv_completion_bash_command(const char *program,
				 const struct mkv_completion_command *command,
				 struct mkv_buf *into) mkv_nonnull(1, 2, 3);
void mkv_completion_bash_end(const char *program,
			     const struct mkv_completion_command *commands,
			     size_t n_commands, const char *fallback,
			     struct mkv_buf *into) mkv_nonnull(1, 5);
void mkv_completion_zsh_command(const char *program,
				const struct mkv_completion_command *command,
				struct mkv_buf *into) mkv_nonnull(1, 2, 3);
void mkv_completion_zsh_end(const char *program,
			    const struct mkv_completion_command *commands,
			    size_t n_commands, const char *fallback,
			    struct mkv_buf *into) mkv_nonnull(1, 5);

/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the writers for bash and zsh. */

#include "lib/completion.h"

/* Kinds of operands and values. */
enum mkv_completion_type {
	MKV_COMPLETION_OTHER, /* nothing that a shell can complete */
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

/* Parses the next of the alternatives "A|B" and advances *rest; false after the
 * last. */
bool mkv_completion_next_kind(const char **rest, const char *end,
			      struct mkv_completion_kind *ret)
	mkv_nonnull(1, 2, 3);

/* Parses the next operand of a synopsis with its alternatives and advances
 * *rest; false after the last. *ret_repeats: "..." follows the operand. */
bool mkv_completion_next_operand(const char **rest, const char **ret,
				 size_t *ret_length, bool *ret_repeats)
	mkv_nonnull(1, 2, 3, 4);

/* Appends the name of the function of a program or of one of its commands.
 * `dash` replaces each '-' of the program's name: bash in POSIX mode accepts no
 * '-' in function names, and zsh loads the function that has the file's name.
 */
void mkv_completion_function(const char *program, char dash,
			     const char *command, struct mkv_buf *into)
	mkv_nonnull(1, 4);

/* Appends a text with each '%' replaced by the name of the program's function.
 */
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

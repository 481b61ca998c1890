/* SPDX-License-Identifier: MIT */
#include "lib/completion.h"

#include <ctype.h>
#include <string.h>

#include "lib/completion_internal.h"

int mkv_completion_shell(const char *name, enum mkv_shell *ret,
			 struct mkv_error *err)
{
	if (strcmp(name, "bash") == 0)
		*ret = MKV_SHELL_BASH;
	else if (strcmp(name, "zsh") == 0)
		*ret = MKV_SHELL_ZSH;
	else
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"no completion for shell '%s': use bash or zsh",
				name);
	return 0;
}

static bool is_word(const struct mkv_completion_kind *kind, const char *text)
{
	return strlen(text) == kind->length &&
	       strncmp(text, kind->text, kind->length) == 0;
}

static void classify_kind(struct mkv_completion_kind *kind)
{
	const char *dot = memrchr(kind->text, '.', kind->length);
	const char *end = kind->text + kind->length;
	if (is_word(kind, "DIR") || is_word(kind, "APPLIANCE")) {
		kind->type = MKV_COMPLETION_DIRECTORY;
	} else if (is_word(kind, "FILE") || is_word(kind, "PATH")) {
		kind->type = MKV_COMPLETION_FILE;
	} else if (kind->length && islower((unsigned char)kind->text[0])) {
		kind->type = MKV_COMPLETION_WORD;
	} else if (dot && dot + 1 < end && islower((unsigned char)dot[1])) {
		kind->type = MKV_COMPLETION_SUFFIX;
		kind->text = dot;
		kind->length = (size_t)(end - dot);
	} else {
		kind->type = MKV_COMPLETION_OTHER;
	}
}

bool mkv_completion_next_kind(const char **rest, const char *end,
			      struct mkv_completion_kind *ret)
{
	const char *p = *rest;
	while (p < end && (*p == ' ' || *p == '|'))
		p++;
	ret->text = p;
	while (p < end && *p != ' ' && *p != '|')
		p++;
	ret->length = (size_t)(p - ret->text);
	*rest = p;
	if (ret->length == 0)
		return false;
	classify_kind(ret);
	return true;
}

bool mkv_completion_next_operand(const char **rest, const char **ret,
				 size_t *ret_length, bool *ret_repeats)
{
	const char *p = *rest + strspn(*rest, " ");
	const char *end = p + strcspn(p, " ");
	if (*p == '\0')
		return false;
	/* Alternatives may have spaces around '|'. */
	for (const char *next = end + strspn(end, " "); *next;
	     next = end + strspn(end, " ")) {
		if (*next != '|' && end[-1] != '|')
			break;
		end = next + strcspn(next, " ");
	}
	*ret = p;
	*ret_length = (size_t)(end - p);
	p = end + strspn(end, " ");
	*ret_repeats = strncmp(p, "...", 3) == 0;
	*rest = *ret_repeats ? p + 3 : p;
	return true;
}

void mkv_completion_function(const char *program, char dash,
			     const char *command, struct mkv_buf *into)
{
	mkv_buf_char(into, '_');
	for (const char *p = program; *p; p++)
		mkv_buf_char(into, *p == '-' ? dash : *p);
	if (command)
		mkv_buf_printf(into, "__%s", command);
}

void mkv_completion_template(const char *text, const char *program, char dash,
			     struct mkv_buf *into)
{
	for (const char *p = text; *p; p++)
		if (*p == '%')
			mkv_completion_function(program, dash, NULL, into);
		else
			mkv_buf_char(into, *p);
}

void mkv_completion_begin(enum mkv_shell shell, const char *program,
			  struct mkv_buf *into)
{
	if (shell == MKV_SHELL_ZSH)
		mkv_buf_printf(into, "#compdef %s\n", program);
	mkv_buf_printf(into,
		       "# Completion of %s, generated from its tables of "
		       "options.\n",
		       program);
}

void mkv_completion_command(enum mkv_shell shell, const char *program,
			    const struct mkv_completion_command *command,
			    struct mkv_buf *into)
{
	if (shell == MKV_SHELL_BASH)
		mkv_completion_bash_command(program, command, into);
	else
		mkv_completion_zsh_command(program, command, into);
}

void mkv_completion_end(enum mkv_shell shell, const char *program,
			const struct mkv_completion_command *commands,
			size_t n_commands, const char *fallback,
			struct mkv_buf *into)
{
	if (shell == MKV_SHELL_BASH)
		mkv_completion_bash_end(program, commands, n_commands, fallback,
					into);
	else
		mkv_completion_zsh_end(program, commands, n_commands, fallback,
				       into);
}

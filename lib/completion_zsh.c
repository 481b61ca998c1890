/* SPDX-License-Identifier: MIT */
/* Zsh: each command calls _arguments. */
#include <string.h>

#include "lib/completion_internal.h"

/* Appends text for single quotes, with a backslash before each character of
 * `special`. */
static void add_quoted(const char *text, size_t length, const char *special,
		       struct mkv_buf *into)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\'') {
			mkv_buf_str(into, "'\\''");
			continue;
		}
		if (strchr(special, text[i]))
			mkv_buf_char(into, '\\');
		mkv_buf_char(into, text[i]);
	}
}

static void add_list(const char *text, size_t length,
		     enum mkv_completion_type type, char separator,
		     struct mkv_buf *into)
{
	struct mkv_completion_kind kind;
	bool is_first = true;
	for (const char *rest = text;
	     mkv_completion_next_kind(&rest, text + length, &kind);) {
		if (kind.type != type)
			continue;
		if (!is_first)
			mkv_buf_char(into, separator);
		is_first = false;
		if (type == MKV_COMPLETION_SUFFIX)
			mkv_buf_char(into, '*');
		mkv_buf_add(into, kind.text, kind.length);
	}
}

static int count_kinds(const char *text, size_t length,
		       enum mkv_completion_type type)
{
	struct mkv_completion_kind kind;
	int found = 0;
	for (const char *rest = text;
	     mkv_completion_next_kind(&rest, text + length, &kind);)
		found += kind.type == type;
	return found;
}

/* Appends the action of a value or an operand. `_files -g` completes
 * directories too. A pattern that ends in a group without '|' would be read as
 * glob qualifiers. */
static void add_action(const char *text, size_t length, struct mkv_buf *into)
{
	int suffixes = count_kinds(text, length, MKV_COMPLETION_SUFFIX);
	if (count_kinds(text, length, MKV_COMPLETION_WORD)) {
		mkv_buf_char(into, '(');
		add_list(text, length, MKV_COMPLETION_WORD, ' ', into);
		mkv_buf_char(into, ')');
	} else if (suffixes) {
		mkv_buf_printf(into, "_files -g \"%s", suffixes > 1 ? "(" : "");
		add_list(text, length, MKV_COMPLETION_SUFFIX, '|', into);
		mkv_buf_printf(into, "%s\"", suffixes > 1 ? ")" : "");
	} else if (count_kinds(text, length, MKV_COMPLETION_DIRECTORY)) {
		mkv_buf_str(into, "_files -/");
	} else if (count_kinds(text, length, MKV_COMPLETION_FILE)) {
		mkv_buf_str(into, "_files");
	} else {
		mkv_buf_char(into, ' ');
	}
}

static void add_option(const struct mkv_completion_option *option,
		       struct mkv_buf *into)
{
	mkv_buf_printf(into, " \\\n\t\t'%s%s%s[", option->repeats ? "*" : "",
		       option->name, option->placeholder ? "=" : "");
	add_quoted(option->help, strlen(option->help), "[]\\", into);
	mkv_buf_char(into, ']');
	if (option->placeholder) {
		const char *text =
			option->words ? option->words : option->placeholder;
		mkv_buf_char(into, ':');
		add_quoted(option->placeholder, strlen(option->placeholder),
			   ":\\", into);
		mkv_buf_char(into, ':');
		add_action(text, strlen(text), into);
	}
	mkv_buf_char(into, '\'');
}

static void add_operands(const char *synopsis, struct mkv_buf *into)
{
	const char *operand, *rest = synopsis;
	size_t length;
	bool repeats;
	for (int at = 1;
	     mkv_completion_next_operand(&rest, &operand, &length, &repeats);
	     at++) {
		mkv_buf_str(into, " \\\n\t\t'");
		if (repeats)
			mkv_buf_str(into, "*:");
		else
			mkv_buf_printf(into, "%d:", at);
		add_quoted(operand, length, ":\\", into);
		mkv_buf_char(into, ':');
		add_action(operand, length, into);
		mkv_buf_char(into, '\'');
	}
}

void mkv_completion_zsh_command(const char *program,
				const struct mkv_completion_command *command,
				struct mkv_buf *into)
{
	mkv_buf_char(into, '\n');
	mkv_completion_function(program, '-',
				command->name ? command->name : "run", into);
	mkv_buf_str(into, "() {\n\t_arguments -S :");
	for (size_t i = 0; i < command->n_options; i++)
		add_option(&command->options[i], into);
	add_operands(command->synopsis, into);
	mkv_buf_str(into, "\n}\n");
}

static const char dispatch[] =
	"	local -a version=('--version:print the version')\n"
	"	if (( CURRENT == 2 )); then\n"
	"		if [[ $words[2] == -* ]]; then\n"
	"			_describe -o option version && ret=0\n"
	"		else\n"
	"			_describe -t verbs verb verbs && ret=0\n"
	"		fi\n"
	"		%__$fallback && ret=0\n"
	"		return ret\n"
	"	fi\n"
	"	if [[ $words[2] == help ]]; then\n"
	"		(( CURRENT == 3 )) && _describe -t verbs verb verbs\n"
	"		return\n"
	"	fi\n"
	"	if [[ -n ${verbs[(r)$words[2]:*]} ]]; then\n"
	"		verb=$words[2]\n"
	"		shift words\n"
	"		(( CURRENT-- ))\n"
	"		%__$verb\n"
	"		return\n"
	"	fi\n"
	"	%__$fallback\n"
	"}\n";

/* The script works when compinit loads it from $fpath and when it is evaluated.
 */
static const char load[] = "\nif [[ $funcstack[1] == % ]]; then\n"
			   "	% \"$@\"\n"
			   "else\n";

void mkv_completion_zsh_end(const char *program,
			    const struct mkv_completion_command *commands,
			    size_t n_commands, const char *fallback,
			    struct mkv_buf *into)
{
	mkv_completion_template("\n%() {\n", program, '-', into);
	if (fallback) {
		mkv_buf_printf(into, "\tlocal ret=1 verb fallback=%s\n",
			       fallback);
		mkv_buf_str(into, "\tlocal -a verbs=(");
		for (size_t i = 0; i < n_commands; i++) {
			mkv_buf_printf(into, "\n\t\t'%s:", commands[i].name);
			add_quoted(commands[i].summary,
				   strlen(commands[i].summary), ":\\", into);
			mkv_buf_char(into, '\'');
		}
		mkv_buf_str(into, "\n\t)\n");
		mkv_completion_template(dispatch, program, '-', into);
	} else {
		mkv_completion_template("\t%__run\n}\n", program, '-', into);
	}
	mkv_completion_template(load, program, '-', into);
	mkv_completion_template("\tcompdef % ", program, '-', into);
	mkv_buf_printf(into, "%s\nfi\n", program);
}

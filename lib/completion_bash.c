/* SPDX-License-Identifier: MIT */
/* Bash: the function of a command sets variables from which the program's
 * function makes its suggestions. Needs bash only, not the package
 * bash-completion. */
#include <string.h>

#include "lib/completion_internal.h"

/* Appends the kinds of an operand or a value as arguments of _reply. */
static void add_kinds(const char *text, size_t length, struct mkv_buf *into)
{
	struct mkv_completion_kind kind;
	bool needs_directories = false, is_first = true;
	for (const char *rest = text;
	     mkv_completion_next_kind(&rest, text + length, &kind);) {
		/* A file may lie in a subdirectory. */
		needs_directories |= kind.type == MKV_COMPLETION_DIRECTORY ||
				     kind.type == MKV_COMPLETION_SUFFIX;
		if (kind.type != MKV_COMPLETION_FILE &&
		    kind.type != MKV_COMPLETION_SUFFIX &&
		    kind.type != MKV_COMPLETION_WORD)
			continue;
		if (!is_first)
			mkv_buf_char(into, ' ');
		is_first = false;
		if (kind.type == MKV_COMPLETION_FILE)
			mkv_buf_str(into, "file");
		else
			mkv_buf_printf(into, "%c%.*s",
				       kind.type == MKV_COMPLETION_WORD ? '='
									: '*',
				       (int)kind.length, kind.text);
	}
	if (needs_directories)
		mkv_buf_str(into, is_first ? "dir" : " dir");
}

static void add_operands(const char *synopsis, struct mkv_buf *into)
{
	const char *operand;
	size_t length;
	bool repeats = false, is_first = true;
	mkv_buf_str(into, "\toperands=(");
	for (const char *rest = synopsis;
	     mkv_completion_next_operand(&rest, &operand, &length, &repeats);) {
		mkv_buf_str(into, is_first ? "'" : " '");
		is_first = false;
		add_kinds(operand, length, into);
		mkv_buf_char(into, '\'');
	}
	mkv_buf_printf(into, ")\n\trepeats=%d\n", repeats);
}

static void add_value(const struct mkv_completion_option *option,
		      struct mkv_buf *into)
{
	const char *text = option->words ? option->words : option->placeholder;
	auto_buf struct mkv_buf kinds = {0};
	add_kinds(text, strlen(text), &kinds);
	if (kinds.failed)
		into->failed = true;
	mkv_buf_printf(into, "\t%s) value='%s' ;;\n", option->name,
		       kinds.data ? kinds.data : "none");
}

void mkv_completion_bash_command(const char *program,
				 const struct mkv_completion_command *command,
				 struct mkv_buf *into)
{
	mkv_buf_char(into, '\n');
	mkv_completion_function(program, '_',
				command->name ? command->name : "run", into);
	mkv_buf_str(into, "() {\n\toptions='");
	for (size_t i = 0; i < command->n_options; i++)
		mkv_buf_printf(into, "%s%s", i ? " " : "",
			       command->options[i].name);
	mkv_buf_str(into, "'\n");
	add_operands(command->synopsis, into);
	mkv_buf_str(into, "\tcase $1 in\n");
	for (size_t i = 0; i < command->n_options; i++)
		if (command->options[i].placeholder)
			add_value(&command->options[i], into);
	mkv_buf_str(into, "\t*) value='' ;;\n\tesac\n}\n");
}

static const char reply[] =
	"\n"
	"# Adds files, directories, files with a suffix and words that begin with "
	"$cur.\n"
	"%_reply() {\n"
	"	local kind\n"
	"	local -a kinds found\n"
	"	read -ra kinds <<<\"$1\"\n"
	"	for kind in \"${kinds[@]}\"; do\n"
	"		case $kind in\n"
	"		dir) mapfile -t found < <(compgen -d -- \"$cur\") ;;\n"
	"		file) mapfile -t found < <(compgen -f -- \"$cur\") ;;\n"
	"		=*) mapfile -t found < <(compgen -W \"${kind#=}\" -- "
	"\"$cur\") ;;\n"
	"		\\**) mapfile -t found < <(compgen -f -X \"!$kind\" -- "
	"\"$cur\") ;;\n"
	"		*) found=() ;;\n"
	"		esac\n"
	"		COMPREPLY+=(\"${found[@]}\")\n"
	"		case $kind in dir | file | \\**) compopt -o filenames "
	"2>/dev/null ;; esac\n"
	"	done\n"
	"}\n";

/* Readline splits words at '=' and ':': "--option=value" arrives as three
 * words.
 */
static const char scan[] =
	"	local options value repeats\n"
	"	local -a operands\n"
	"	COMPREPLY=()\n"
	"	[ \"$cur\" != : ] && [ \"${COMP_WORDS[COMP_CWORD - 1]}\" != : "
	"] || return 0\n"
	"	for ((i = 1; i < COMP_CWORD; i++)); do\n"
	"		word=${COMP_WORDS[i]}\n"
	"		case $word in\n"
	"		=) continue ;;\n"
	"		:)\n"
	"			((i++))\n"
	"			continue\n"
	"			;;\n"
	"		esac\n"
	"		if [ -n \"$waiting\" ]; then\n"
	"			waiting=''\n"
	"		elif [ -z \"$verb\" ] && [[ \" $verbs \" == *\" $word "
	"\"* ]]; then\n"
	"			verb=$word\n"
	"		elif [ -z \"$plain\" ] && [ \"$word\" = -- ]; then\n"
	"			plain=1\n"
	"		elif [ -z \"$plain\" ] && [[ $word == -* ]]; then\n"
	"			verb=${verb:-$fallback}\n"
	"			\"%__$verb\" \"$word\"\n"
	"			[ -z \"$value\" ] || [[ $word == *=* ]] || "
	"waiting=$word\n"
	"		else\n"
	"			verb=${verb:-$fallback}\n"
	"			at=$((at + 1))\n"
	"		fi\n"
	"	done\n"
	"	[ \"$cur\" != = ] || cur=''\n"
	"	\"%__${verb:-$fallback}\" \"$waiting\"\n"
	"	if [ -n \"$waiting\" ]; then\n"
	"		%_reply \"$value\"\n"
	"		return 0\n"
	"	fi\n"
	"	if [ -z \"$plain\" ] && [[ $cur == -* ]]; then\n"
	"		[ -n \"$verb\" ] || options+=' --version'\n"
	"		mapfile -t COMPREPLY < <(compgen -W \"$options\" -- "
	"\"$cur\")\n"
	"		return 0\n"
	"	fi\n"
	"	[ -n \"$verb\" ] || mapfile -t COMPREPLY < <(compgen -W "
	"\"$verbs\" -- \"$cur\")\n"
	"	if ((at >= ${#operands[@]} && repeats)); then\n"
	"		at=$((${#operands[@]} - 1))\n"
	"	fi\n"
	"	%_reply \"${operands[at]:-}\"\n"
	"}\n";

static void add_help(const char *program,
		     const struct mkv_completion_command *commands,
		     size_t n_commands, struct mkv_buf *into)
{
	mkv_buf_char(into, '\n');
	mkv_completion_function(program, '_', "help", into);
	mkv_buf_str(into,
		    "() {\n\toptions='' value='' repeats=0\n\toperands=('");
	for (size_t i = 0; i < n_commands; i++)
		mkv_buf_printf(into, "%s=%s", i ? " " : "", commands[i].name);
	mkv_buf_str(into, "')\n}\n");
}

void mkv_completion_bash_end(const char *program,
			     const struct mkv_completion_command *commands,
			     size_t n_commands, const char *fallback,
			     struct mkv_buf *into)
{
	if (fallback)
		add_help(program, commands, n_commands, into);
	mkv_completion_template(reply, program, '_', into);
	mkv_completion_template("\n%() {\n"
				"	local cur=${COMP_WORDS[COMP_CWORD]} "
				"waiting='' plain='' at=0 i word\n",
				program, '_', into);
	mkv_buf_str(into, "\tlocal verbs='");
	for (size_t i = 0; fallback && i < n_commands; i++)
		mkv_buf_printf(into, "%s ", commands[i].name);
	mkv_buf_printf(into, "%s' verb='%s' fallback=%s\n",
		       fallback ? "help" : "", fallback ? "" : "run",
		       fallback ? fallback : "run");
	mkv_completion_template(scan, program, '_', into);
	mkv_completion_template("complete -F % ", program, '_', into);
	mkv_buf_printf(into, "%s\n", program);
}

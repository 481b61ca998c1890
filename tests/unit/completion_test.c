/* SPDX-License-Identifier: MIT */
/* Placeholders and operands in the scripts of both shells. 560-completion tests
 * the scripts in the shells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/completion.h"

static void expect_part(enum mkv_shell shell, const char *program,
			const struct mkv_completion_command *command,
			const char *part)
{
	auto_buf struct mkv_buf script = {0};
	mkv_completion_command(shell, program, command, &script);
	assert_false(script.failed);
	if (!strstr(script.data, part))
		fail_msg("missing:\n%s\nin\n%s", part, script.data);
}

static void operands_follow_from_the_synopsis(void **state)
{
	static const struct {
		const char *synopsis, *bash, *zsh;
	} rows[] = {
		{"", "operands=()\n\trepeats=0\n", "_arguments -S :\n}"},
		{"DIR", "operands=('dir')\n\trepeats=0\n",
		 "'1:DIR:_files -/'\n}"},
		{"X.yaml ...", "operands=('*.yaml dir')\n\trepeats=1\n",
		 "'*:X.yaml:_files -g \"*.yaml\"'\n}"},
		{"A.raw|B.yaml", "operands=('*.raw *.yaml dir')\n\trepeats=0\n",
		 "'1:A.raw|B.yaml:_files -g \"(*.raw|*.yaml)\"'\n}"},
		{"APPLIANCE | DISK.raw FILE",
		 "operands=('*.raw dir' 'file')\n\trepeats=0\n",
		 "'1:APPLIANCE | DISK.raw:_files -g \"*.raw\"' \\\n"
		 "\t\t'2:FILE:_files'\n}"},
		{"verify N X.json ...",
		 "operands=('=verify' '' '*.json dir')\n\trepeats=1\n",
		 "'1:verify:(verify)' \\\n\t\t'2:N: ' \\\n"
		 "\t\t'*:X.json:_files -g \"*.json\"'\n}"},
		{"  a|b  ", "operands=('=a =b')\n\trepeats=0\n",
		 "'1:a|b:(a b)'\n}"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_completion_command command = {
			.name = "verb", .synopsis = rows[i].synopsis};
		expect_part(MKV_SHELL_BASH, "tool", &command, rows[i].bash);
		expect_part(MKV_SHELL_ZSH, "tool", &command, rows[i].zsh);
	}
}

static void values_follow_from_placeholders(void **state)
{
	static const struct {
		struct mkv_completion_option option;
		const char *bash, *zsh;
	} rows[] = {
		{{"--x", "DIR", "a", NULL, false},
		 "--x) value='dir' ;;",
		 "'--x=[a]:DIR:_files -/'"},
		{{"--x", "HOST:PORT[,...]", "a", NULL, true},
		 "--x) value='none' ;;",
		 "'*--x=[a]:HOST\\:PORT[,...]: '"},
		{{"--x", "a|b", "a", NULL, false},
		 "--x) value='=a =b' ;;",
		 "'--x=[a]:a|b:(a b)'"},
		{{"--x", "NAME", "a", "one|two", true},
		 "--x) value='=one =two' ;;",
		 "'*--x=[a]:NAME:(one two)'"},
		{{"--x", NULL, "the user's [a\\b]", NULL, false},
		 "options='--x'",
		 "'--x[the user'\\''s \\[a\\\\b\\]]'"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_completion_command command = {
			.name = "verb",
			.synopsis = "",
			.options = &rows[i].option,
			.n_options = 1,
		};
		expect_part(MKV_SHELL_BASH, "tool", &command, rows[i].bash);
		expect_part(MKV_SHELL_ZSH, "tool", &command, rows[i].zsh);
	}
}

/* Bash in POSIX mode accepts no '-' in a function name; zsh loads the function
 * with the name of the file. */
static void functions_are_named_as_each_shell_wants(void **state)
{
	static const struct mkv_completion_command run = {.synopsis = ""};
	(void)state;
	expect_part(MKV_SHELL_BASH, "a-tool", &run, "\n_a_tool__run() {\n");
	expect_part(MKV_SHELL_ZSH, "a-tool", &run, "\n_a-tool__run() {\n");
}

static void other_shells_are_refused(void **state)
{
	struct mkv_error err = {0};
	enum mkv_shell shell = MKV_SHELL_ZSH;
	(void)state;
	assert_int_equal(mkv_completion_shell("bash", &shell, &err), 0);
	assert_int_equal(shell, MKV_SHELL_BASH);
	assert_int_equal(mkv_completion_shell("", &shell, &err), -EINVAL);
	assert_int_equal(err.kind, MKV_BAD_USAGE);
	assert_string_equal(err.message,
			    "no completion for shell '': use bash or zsh");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands_follow_from_the_synopsis),
		cmocka_unit_test(values_follow_from_placeholders),
		cmocka_unit_test(functions_are_named_as_each_shell_wants),
		cmocka_unit_test(other_shells_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

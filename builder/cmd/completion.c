/* SPDX-License-Identifier: MIT */
/* mkvbench completion: scripts that complete mkvbench's command line. */
#include <stdio.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/options.h"
#include "lib/completion.h"
#include "lib/json.h"

enum { ROWS_MAX = 64, VERBS_MAX = 64 };
static const char program[] = "mkvbench";

struct writer {
	enum mkv_shell shell;
	struct mkv_buf *script;
};

static void write_verb(const char *verb, const struct mkv_usage *usage,
		       void *context)
{
	struct writer *writer = context;
	struct mkv_completion_option rows[ROWS_MAX + 1];
	struct mkv_completion_command command = {
		.name = verb,
		.synopsis = usage->synopsis,
		.options = rows,
	};
	for (const struct mkv_option *o = usage->options;
	     o->name && command.n_options < ROWS_MAX; o++)
		rows[command.n_options++] = (struct mkv_completion_option){
			.name = o->name,
			.placeholder = o->placeholder,
			.help = o->help,
			.repeats = mkv_option_is_list(o),
		};
	rows[command.n_options++] = (struct mkv_completion_option){
		.name = "--help", .help = "print the options"};
	mkv_completion_command(writer->shell, program, &command,
			       writer->script);
}

/* Runs each verb up to the parsing of its options, where write_verb() is
 * called.
 */
static int write_verbs(struct writer *writer, struct mkv_error *err)
{
	int rc = 0;
	mkv_options_set_visit(write_verb, writer);
	/* The visitor is removed whether a verb fails or not. */
	for (const struct mkv_verb *c = mkv_verbs; rc == 0 && c->name; c++) {
		char *argv[] = {(char *)(uintptr_t)c->name, NULL};
		rc = c->run(1, argv, err);
	}
	mkv_options_set_visit(NULL, NULL);
	return rc;
}

static int write_script(struct writer *writer, struct mkv_error *err)
{
	struct mkv_completion_command verbs[VERBS_MAX];
	size_t count = 0;
	for (const struct mkv_verb *c = mkv_verbs; c->name && count < VERBS_MAX;
	     c++)
		verbs[count++] = (struct mkv_completion_command){
			.name = c->name, .summary = c->summary};
	mkv_completion_begin(writer->shell, program, writer->script);
	int rc = write_verbs(writer, err);
	if (rc < 0)
		return rc;
	mkv_completion_end(writer->shell, program, verbs, count, "build",
			   writer->script);
	return mkv_buf_check(writer->script, err);
}

static int print_json(const char *shell, const char *script,
		      struct mkv_error *err)
{
	auto_json json_t *root =
		json_pack("{s:s, s:s}", "shell", shell, "script", script);
	auto_buf struct mkv_buf line = {0};
	if (!root)
		return mkv_oom(err);
	int rc = mkv_json_dump_compact(root, &line, err);
	if (rc < 0)
		return rc;
	(void)printf("%s\n", line.data);
	return 0;
}

int mkv_cmd_completion(int argc, char **argv, struct mkv_error *err)
{
	bool json = false;
	const struct mkv_option options[] = {
		{"--json", NULL, "print the script in a JSON object", NULL,
		 &json},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "bash|zsh",
		.description =
			"Prints a script that completes mkvbench's verbs, "
			"options and files in a shell.\n"
			"`eval \"$(mkvbench completion bash)\"` loads it. "
			"`make install` and the Debian package\n"
			"install it where shells find it.",
		.options = options,
		.min_operands = 1,
		.max_operands = 1,
	};
	int operands;
	bool done;
	int rc = mkv_options_parse("completion", &usage, argc, argv, &operands,
				   &done, err);
	if (rc < 0 || done)
		return rc;
	auto_buf struct mkv_buf script = {0};
	struct writer writer = {.script = &script};
	rc = mkv_completion_shell(argv[0], &writer.shell, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "completion");
	rc = write_script(&writer, err);
	if (rc < 0)
		return rc;
	if (json)
		return print_json(argv[0], script.data, err);
	(void)fputs(script.data, stdout);
	return 0;
}

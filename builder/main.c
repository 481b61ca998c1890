/* SPDX-License-Identifier: MIT */
/* The command line: runs a verb's command and prints its error. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/report.h"
#include "lib/text.h"

static const struct mkv_verb *find_command(const char *name)
{
	for (const struct mkv_verb *c = mkv_verbs; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int print_usage(FILE *out)
{
	(void)fprintf(out,
		      "Usage: mkvbench RECIPE.yaml ...\n"
		      "       mkvbench VERB [OPTIONS] ...\n\n"
		      "Builds reproducible, signed benchmark appliances.\n\n"
		      "Verbs:\n");
	for (const struct mkv_verb *c = mkv_verbs; c->name; c++)
		(void)fprintf(out, "  %-10s %s\n", c->name, c->summary);
	(void)fprintf(out, "\nRun `mkvbench VERB --help` for a verb's options. "
			   "The default verb is build.\n");
	return out == stdout ? 0 : 2;
}

static int report_unknown_verb(const char *word)
{
	const char *names[64];
	size_t count = 0;
	for (const struct mkv_verb *c = mkv_verbs; c->name && count < 64; c++)
		names[count++] = c->name;
	const char *near = mkv_nearest(word, names, count);
	(void)fprintf(stderr,
		      "mkvbench: unknown verb '%s'%s%s%s; `mkvbench --help` "
		      "lists all verbs\n",
		      word, near ? " (did you mean '" : "", near ? near : "",
		      near ? "'?)" : "");
	return 2;
}

/* `mkvbench help VERB` is `mkvbench VERB --help`. */
static int print_verb_help(const char *verb)
{
	struct mkv_error err = {0};
	char option[] = "--help";
	char *argv[] = {(char *)(uintptr_t)verb, option, NULL};
	const struct mkv_verb *command = find_command(verb);
	if (!command)
		return report_unknown_verb(verb);
	return command->run(2, argv, &err) < 0;
}

/* A first argument that names a file is a recipe; the verb is then `build`. */
static bool is_recipe(const char *word)
{
	size_t length = strlen(word);
	return word[0] == '-' || strchr(word, '/') ||
	       (length > 5 && strcmp(word + length - 5, ".yaml") == 0);
}

static int run_command(int argc, char **argv)
{
	if (argc < 2)
		return print_usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    (strcmp(argv[1], "help") == 0 && argc == 2))
		return print_usage(stdout);
	if (strcmp(argv[1], "help") == 0)
		return print_verb_help(argv[2]);
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("mkvbench %s\n", MKV_VERSION);
		return 0;
	}
	const struct mkv_verb *command = find_command(argv[1]);
	int shift = 1;
	if (!command && is_recipe(argv[1])) {
		command = find_command("build");
		shift = 0;
	}
	if (!command)
		return report_unknown_verb(argv[1]);
	struct mkv_error err = {0};
	int rc = command->run(argc - shift, argv + shift, &err);
	if (rc == 0)
		return 0;
	mkv_report_error(&err);
	return mkv_exit_status(err.kind ? err.kind : MKV_FAILED);
}

/* The output is a command's result: failing to write it is an error. */
static int finish_output(int status)
{
	struct mkv_error err;
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	(void)mkv_fail(&err, MKV_FAILED, errno, "write standard output: %m");
	mkv_report_error(&err);
	return status ? status : mkv_exit_status(MKV_FAILED);
}

int main(int argc, char **argv)
{
	return finish_output(run_command(argc, argv));
}

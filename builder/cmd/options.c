/* SPDX-License-Identifier: MIT */
#include "builder/cmd/options.h"

#include <stdio.h>
#include <string.h>

#include "builder/cmd/report.h"
#include "lib/text.h"

enum { OPTIONS_MAX = 64 };

/* State of the command line being parsed: the rows that had a value, and the
 * joined values. A process parses one command line at a time. */
static bool was_given[OPTIONS_MAX];
static char *joined[OPTIONS_MAX];

/* Option tables are local to the verbs' functions, so reading a table means to
 * run its verb. */
static mkv_options_visit *visitor;
static void *visitor_context;

void mkv_options_set_visit(mkv_options_visit *visit, void *context)
{
	visitor = visit;
	visitor_context = context;
}

static void print_help(const char *verb, const struct mkv_usage *usage)
{
	(void)printf("Usage: mkvbench %s [OPTIONS] %s\n\n%s\n", verb,
		     usage->synopsis, usage->description);
	(void)printf("\nOptions:\n");
	for (const struct mkv_option *o = usage->options; o->name; o++) {
		char left[64];
		(void)snprintf(left, sizeof(left), "%s%s%s", o->name,
			       o->placeholder ? " " : "",
			       o->placeholder ? o->placeholder : "");
		(void)printf("  %-22s %s\n", left, o->help);
	}
	(void)printf("  %-22s %s\n", "--help", "print this help");
}

static const struct mkv_option *find_option(const struct mkv_usage *usage,
					    const char *word, size_t length)
{
	for (const struct mkv_option *o = usage->options;
	     o->name && o < usage->options + OPTIONS_MAX; o++)
		if (strlen(o->name) == length &&
		    strncmp(o->name, word, length) == 0)
			return o;
	return NULL;
}

static int fail_unknown_option(const char *verb, const struct mkv_usage *usage,
			       const char *word, struct mkv_error *err)
{
	const char *names[OPTIONS_MAX];
	size_t count = 0;
	names[count++] = "--help";
	for (const struct mkv_option *o = usage->options;
	     o->name && count < OPTIONS_MAX; o++)
		names[count++] = o->name;
	const char *near = mkv_nearest(word, names, count);
	int rc = mkv_fail(err, MKV_BAD_USAGE, EINVAL,
			  "%s: unknown option '%s'%s%s%s; `mkvbench %s --help` "
			  "lists all options",
			  verb, word, near ? " (did you mean '" : "",
			  near ? near : "", near ? "'?)" : "", verb);
	return mkv_error_suggest(err, rc, near);
}

bool mkv_option_is_list(const struct mkv_option *option)
{
	return option->placeholder && strstr(option->placeholder, "[,");
}

static int set_value(const char *verb, const struct mkv_option *option,
		     size_t row, const char *value, struct mkv_error *err)
{
	char *both = NULL;
	if (!was_given[row]) {
		*option->value = value;
		was_given[row] = true;
		return 0;
	}
	if (!mkv_option_is_list(option))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"%s: %s was given twice but takes one value "
				"(%s)",
				verb, option->name, option->placeholder);
	if (asprintf(&both, "%s,%s", *option->value, value) < 0)
		return mkv_oom(err);
	free(joined[row]);
	joined[row] = both;
	*option->value = both;
	return 0;
}

/* Parses one option with its argument, if it has one, and leaves *at at the
 * last word of both. */
static int parse_option(const char *verb, const struct mkv_usage *usage,
			int argc, char **argv, int *at, struct mkv_error *err)
{
	const char *word = argv[*at];
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const struct mkv_option *option = find_option(usage, word, length);
	if (!option)
		return fail_unknown_option(verb, usage, word, err);
	if (option->flag) {
		if (equals)
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"%s: %s takes no value", verb,
					option->name);
		*option->flag = true;
		return 0;
	}
	if (!equals && *at + 1 >= argc)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"%s: %s needs a value (%s)", verb, option->name,
				option->placeholder);
	return set_value(verb, option, (size_t)(option - usage->options),
			 equals ? equals + 1 : argv[++*at], err);
}

/* Called before parsing: with --json, errors of parsing are JSON too. */
static void report_as_requested(const struct mkv_usage *usage, int argc,
				char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0 &&
		    find_option(usage, "--json", 6))
			mkv_report_as_json();
}

int mkv_options_parse(const char *verb, const struct mkv_usage *usage, int argc,
		      char **argv, int *ret_operands, bool *ret_done,
		      struct mkv_error *err)
{
	int operands = 0;
	bool only_operands = false;
	*ret_done = visitor != NULL;
	if (visitor) {
		visitor(verb, usage, visitor_context);
		return 0;
	}
	memset(was_given, 0, sizeof(was_given));
	report_as_requested(usage, argc, argv);
	for (int i = 1; i < argc; i++) {
		if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[operands++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			only_operands = true;
			continue;
		}
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0) {
			print_help(verb, usage);
			*ret_done = true;
			return 0;
		}
		int rc = parse_option(verb, usage, argc, argv, &i, err);
		if (rc < 0)
			return rc;
	}
	if (operands < usage->min_operands ||
	    (usage->max_operands >= 0 && operands > usage->max_operands))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"usage: mkvbench %s [OPTIONS] %s", verb,
				usage->synopsis);
	*ret_operands = operands;
	return 0;
}

size_t mkv_options_split(char *text, const char **ret, size_t max)
{
	size_t count = 0;
	char *save = NULL;
	for (char *word = strtok_r(text, ",", &save); word && count < max;
	     word = strtok_r(NULL, ",", &save))
		ret[count++] = word;
	return count;
}

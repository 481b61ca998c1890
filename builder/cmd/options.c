/* SPDX-License-Identifier: MIT */
#include "builder/cmd/options.h"

#include <stdio.h>
#include <string.h>

#include "builder/cmd/report.h"
#include "lib/text.h"

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
	(void)printf("  %-22s %s\n", "--help", "print this");
}

static const struct mkv_option *find(const struct mkv_usage *usage,
				     const char *word, size_t length)
{
	for (const struct mkv_option *o = usage->options; o->name; o++)
		if (strlen(o->name) == length &&
		    strncmp(o->name, word, length) == 0)
			return o;
	return NULL;
}

static int unknown(const char *verb, const struct mkv_usage *usage,
		   const char *word, struct mkv_error *err)
{
	const char *names[64];
	size_t count = 0;
	names[count++] = "--help";
	for (const struct mkv_option *o = usage->options;
	     o->name && count < 63; o++)
		names[count++] = o->name;
	const char *near = mkv_nearest(word, names, count);
	return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
			"%s: unknown option '%s'%s%s%s; `mkvbench %s --help` "
			"lists them",
			verb, word, near ? " (did you mean '" : "",
			near ? near : "", near ? "'?)" : "", verb);
}

/* One option, and its argument where it has one. Advances *at past both. */
static int take(const char *verb, const struct mkv_usage *usage, int argc,
		char **argv, int *at, struct mkv_error *err)
{
	const char *word = argv[*at];
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const struct mkv_option *option = find(usage, word, length);
	if (!option)
		return unknown(verb, usage, word, err);
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
	*option->value = equals ? equals + 1 : argv[++*at];
	return 0;
}

int mkv_options_parse(const char *verb, const struct mkv_usage *usage, int argc,
		      char **argv, int *ret_operands, bool *ret_done,
		      struct mkv_error *err)
{
	int operands = 0;
	bool only_operands = false;
	*ret_done = false;
	/* Before anything can be wrong: that, too, is told as asked. */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0 && find(usage, "--json", 6))
			mkv_report_as_json();
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
		int rc = take(verb, usage, argc, argv, &i, err);
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

char *mkv_options_join(int argc, char **argv, const char *name)
{
	size_t length = strlen(name);
	char *joined = NULL;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *value = NULL;
		if (strncmp(argv[i], name, length) != 0)
			continue;
		if (argv[i][length] == '=')
			value = argv[i] + length + 1;
		else if (argv[i][length] == '\0' && i + 1 < argc)
			value = argv[++i];
		char *both = NULL;
		if (!value || asprintf(&both, "%s%s%s", joined ? joined : "",
				       joined ? "," : "", value) < 0)
			continue;
		free(joined);
		joined = both;
	}
	return joined;
}

size_t mkv_options_split(char *text, const char **ret, size_t most)
{
	size_t count = 0;
	char *save = NULL;
	for (char *word = strtok_r(text, ",", &save); word && count < most;
	     word = strtok_r(NULL, ",", &save))
		ret[count++] = word;
	return count;
}

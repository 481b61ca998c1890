/* SPDX-License-Identifier: MIT */
#include "programs/boot/initramfs/cmdline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends every parameter with a NUL and the text with two NULs. Quotes are not
 * copied. */
static void split_parameters(const char *line, char *text)
{
	bool quoted = false;
	size_t used = 0;
	for (size_t i = 0; line[i] && line[i] != '\n' && used < CMDLINE_MAX - 2;
	     i++) {
		if (line[i] == '"') {
			quoted = !quoted;
			continue;
		}
		bool space = !quoted && (line[i] == ' ' || line[i] == '\t');
		if (space && (used == 0 || text[used - 1] == '\0'))
			continue;
		text[used++] = space ? '\0' : line[i];
	}
	text[used] = '\0';
	text[used + 1] = '\0';
}

/* The value that follows "KEY=", or NULL. */
static const char *value_of(const char *word, const char *key)
{
	size_t length = strlen(key);
	return strncmp(word, key, length) == 0 ? word + length : NULL;
}

static int parse_seconds(const char *text)
{
	long value = strtol(text, NULL, 10);
	return value > 86400 ? 86400 : value < -1 ? -1 : (int)value;
}

static void apply_parameter(const char *word, struct cmdline *ret)
{
	const char *value;
	if ((value = value_of(word, "root=")))
		ret->root = value;
	else if ((value = value_of(word, "rootfstype=")))
		ret->root_type = value;
	else if ((value = value_of(word, "rootflags=")))
		ret->root_flags = value;
	else if ((value = value_of(word, "init=")))
		ret->init = value;
	else if ((value = value_of(word, "panic=")))
		ret->panic_s = parse_seconds(value);
	else if ((value = value_of(word, "rootwait=")))
		ret->wait_s =
			parse_seconds(value) < 0 ? 0 : parse_seconds(value);
	else if (strcmp(word, "rootwait") == 0)
		ret->wait_s = WAIT_LONG_S;
	else if (strcmp(word, "ro") == 0)
		ret->writable = false;
	else if (strcmp(word, "rw") == 0)
		ret->writable = true;
}

void cmdline_parse(const char *line, struct cmdline *ret)
{
	*ret = (struct cmdline){.wait_s = WAIT_DEFAULT_S};
	split_parameters(line, ret->text);
	for (const char *word = ret->text; *word; word += strlen(word) + 1) {
		if (strcmp(word, "--") == 0)
			break;
		apply_parameter(word, ret);
	}
}

static bool is_module(const char *word, const char *module, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char a = word[i] == '-' ? '_' : word[i];
		char b = module[i] == '-' ? '_' : module[i];
		if (a != b)
			return false;
	}
	return word[length] == '.';
}

void cmdline_module(const struct cmdline *cmdline, const char *module,
		    char *ret, unsigned long size)
{
	size_t used = 0, length = strlen(module);
	ret[0] = '\0';
	for (const char *word = cmdline->text; *word;
	     word += strlen(word) + 1) {
		if (strcmp(word, "--") == 0)
			break;
		if (strlen(word) <= length || !is_module(word, module, length))
			continue;
		int put = snprintf(ret + used, size - used, "%s%s",
				   used ? " " : "", word + length + 1);
		if (put < 0 || (size_t)put >= size - used) {
			ret[used] = '\0';
			return;
		}
		used += (size_t)put;
	}
}

/* SPDX-License-Identifier: MIT */
#include "lib/argv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void mkv_argv_add(struct mkv_argv *argv, const char *format, ...)
{
	char **grown =
		reallocarray(argv->items, argv->count + 2, sizeof(*grown));
	if (!grown) {
		argv->failed = true;
		return;
	}
	argv->items = grown;
	va_list arguments;
	va_start(arguments, format);
	char *text = NULL;
	if (vasprintf(&text, format, arguments) < 0)
		argv->failed = true;
	else
		argv->items[argv->count++] = text;
	va_end(arguments);
	argv->items[argv->count] = NULL;
}

void mkv_argv_done(struct mkv_argv *argv)
{
	for (size_t i = 0; i < argv->count; i++)
		free(argv->items[i]);
	free(argv->items);
	*argv = (struct mkv_argv){0};
}

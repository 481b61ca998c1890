/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "builder/input/recipe/load.h"

static void done(struct mkv_diagnostic *complaint)
{
	free(complaint->file);
	free(complaint->message);
}

void mkv_diagnostics_done(struct mkv_diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		done(&diagnostics->items[i]);
	free(diagnostics->items);
	*diagnostics = (struct mkv_diagnostics){0};
}

static bool add(struct mkv_diagnostics *to, struct mkv_mark mark,
		const char *message)
{
	struct mkv_diagnostic *items =
		reallocarray(to->items, to->count + 1, sizeof(*items));
	if (!items)
		return false;
	to->items = items;
	struct mkv_diagnostic new = {
		.file = strdup(mark.file),
		.line = mark.line,
		.column = mark.column,
		.message = strdup(message),
	};
	if (!new.file || !new.message) {
		done(&new);
		return false;
	}
	items[to->count++] = new;
	return true;
}

/* The length of a UTF-8 character, or 0 where it isn't whole. */
static size_t character(const char *at)
{
	unsigned char c = (unsigned char)*at;
	size_t length = c < 0x80   ? 1
			: c < 0xC0 ? 0
			: c < 0xE0 ? 2
			: c < 0xF0 ? 3
				   : 4;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)at[i] & 0xC0) != 0x80)
			return 0;
	return length;
}

/* A message quotes what the recipe says, cut to a length: it stays one line of
 * whole characters that a terminal doesn't act on. */
static void clean(char *text)
{
	char *to = text;
	while (*text) {
		size_t length = character(text);
		unsigned char c = (unsigned char)*text;
		bool control = c < 0x20 || c == 0x7f ||
			       (c == 0xC2 && (unsigned char)text[1] < 0xA0);
		if (length == 0 || control) {
			*to++ = '?';
			text += length ? length : 1;
			continue;
		}
		memmove(to, text, length);
		to += length;
		text += length;
	}
	*to = '\0';
}

void mkv_diagnose(struct mkv_recipe_loader *load, struct mkv_mark mark,
		  const char *format, ...)
{
	char message[1024];
	va_list ap;
	va_start(ap, format);
	int length = vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	if (length < 0)
		return;
	size_t count = load->diagnostics->count;
	if (count > MKV_RECIPE_DIAGNOSTICS_MAX)
		return;
	if (count == MKV_RECIPE_DIAGNOSTICS_MAX)
		(void)strcpy(
			message,
			"too many errors: the remaining ones are not listed");
	clean(message);
	if (!add(load->diagnostics, mark, message))
		load->failed = true;
}

static int compare(const void *a, const void *b)
{
	const struct mkv_diagnostic *x = a, *y = b;
	int order = strcmp(x->file, y->file);
	if (order == 0)
		order = (x->line > y->line) - (x->line < y->line);
	if (order == 0)
		order = (x->column > y->column) - (x->column < y->column);
	return order ? order : strcmp(x->message, y->message);
}

void mkv_diagnostics_sort(struct mkv_diagnostics *diagnostics)
{
	if (diagnostics->count < 2)
		return;
	qsort(diagnostics->items, diagnostics->count,
	      sizeof(*diagnostics->items), compare);
	size_t kept = 1;
	for (size_t i = 1; i < diagnostics->count; i++) {
		struct mkv_diagnostic *item = &diagnostics->items[i];
		if (compare(&diagnostics->items[kept - 1], item) == 0)
			done(item);
		else
			diagnostics->items[kept++] = *item;
	}
	diagnostics->count = kept;
}

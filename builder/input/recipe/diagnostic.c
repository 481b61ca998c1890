/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "builder/input/recipe/load.h"
#include "lib/grow.h"

static void release_diagnostic(struct mkv_diagnostic *diagnostic)
{
	free(diagnostic->file);
	free(diagnostic->message);
	free(diagnostic->suggestion);
}

void mkv_diagnostics_done(struct mkv_diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		release_diagnostic(&diagnostics->items[i]);
	free(diagnostics->items);
	*diagnostics = (struct mkv_diagnostics){0};
}

static bool append_diagnostic(struct mkv_diagnostics *to, struct mkv_mark mark,
			      const char *message)
{
	struct mkv_diagnostic new = {
		.file = strdup(mark.file),
		.line = mark.line,
		.column = mark.column,
		.message = strdup(message),
	};
	struct mkv_diagnostic *item = NULL;
	if (new.file &&new.message)
		item = mkv_grow(&to->items, &to->count);
	if (!item) {
		release_diagnostic(&new);
		return false;
	}
	*item = new;
	return true;
}

/* The length in bytes of the UTF-8 character at `at`, or 0 if it is
 * incomplete. */
static size_t character_length(const char *at)
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

/* A message quotes text of the recipe, cut to a maximum length. Replaces
 * control and incomplete characters, so that the message is one line and a
 * terminal does not interpret any of it. */
static void replace_controls(char *text)
{
	char *to = text;
	while (*text) {
		size_t length = character_length(text);
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
	replace_controls(message);
	if (!append_diagnostic(load->diagnostics, mark, message))
		load->failed = true;
}

void mkv_diagnose_suggest(struct mkv_recipe_loader *load, const char *word)
{
	struct mkv_diagnostics *to = load->diagnostics;
	/* The last one of a full list says only that the list is full. */
	if (!word || !to->count || to->count > MKV_RECIPE_DIAGNOSTICS_MAX)
		return;
	struct mkv_diagnostic *last = &to->items[to->count - 1];
	free(last->suggestion);
	last->suggestion = strdup(word);
	if (!last->suggestion)
		load->failed = true;
}

static int compare_diagnostics(const void *a, const void *b)
{
	const struct mkv_diagnostic *x = a, *y = b;
	int order = strcmp(x->file, y->file);
	if (order)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(x->message, y->message);
}

void mkv_diagnostics_sort(struct mkv_diagnostics *diagnostics)
{
	if (diagnostics->count < 2)
		return;
	qsort(diagnostics->items, diagnostics->count,
	      sizeof(*diagnostics->items), compare_diagnostics);
	size_t kept = 1;
	for (size_t i = 1; i < diagnostics->count; i++) {
		struct mkv_diagnostic *item = &diagnostics->items[i];
		if (compare_diagnostics(&diagnostics->items[kept - 1], item) ==
		    0)
			release_diagnostic(item);
		else
			diagnostics->items[kept++] = *item;
	}
	diagnostics->count = kept;
}

/* SPDX-License-Identifier: MIT */
#include "lib/strings.h"

#include <string.h>

bool mkv_strings_has(const struct mkv_strings *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

void mkv_strings_done(struct mkv_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct mkv_strings){0};
}

int mkv_strings_append(struct mkv_strings *list, char *word,
		       struct mkv_error *err)
{
	char **grown = word ? reallocarray(list->items, list->count + 1,
					   sizeof(*grown))
			    : NULL;
	if (!grown) {
		free(word);
		return mkv_oom(err);
	}
	list->items = grown;
	list->items[list->count++] = word;
	return 0;
}

int mkv_strings_insert(struct mkv_strings *list, const char *word,
		       struct mkv_error *err)
{
	size_t at = 0;
	while (at < list->count && strcmp(list->items[at], word) < 0)
		at++;
	if (at < list->count && strcmp(list->items[at], word) == 0)
		return 0;
	int rc = mkv_strings_append(list, strdup(word), err);
	if (rc < 0)
		return rc;
	char *last = list->items[list->count - 1];
	memmove(list->items + at + 1, list->items + at,
		(list->count - 1 - at) * sizeof(*list->items));
	list->items[at] = last;
	return 0;
}

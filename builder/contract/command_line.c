/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/contract/contract.h"

void mkv_strings_done(struct mkv_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct mkv_strings){0};
}

/* Takes the word over. */
static int append(struct mkv_strings *list, char *word, struct mkv_error *err)
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

static bool names_console(const struct mkv_image *image)
{
	for (size_t i = 0; i < image->cmdline.count; i++)
		if (strncmp(image->cmdline.items[i], "console=", 8) == 0)
			return true;
	return false;
}

int mkv_contract_command_line(const struct mkv_image *image,
			      const uint8_t root_uuid[static 16],
			      struct mkv_strings *ret, struct mkv_error *err)
{
	auto_strings struct mkv_strings words = {0};
	char uuid[37];
	mkv_uuid_text(root_uuid, uuid);
	char *root = NULL;
	if (asprintf(&root, "root=UUID=%s", uuid) < 0)
		return mkv_oom(err);
	int rc = append(&words, root, err);
	if (rc == 0)
		rc = append(&words, strdup("rw"), err);
	/* The receipt goes to the console: screen and serial line, the latter
	 * last so that it is /dev/console. */
	if (rc == 0 && !names_console(image))
		rc = append(&words, strdup("console=tty0"), err);
	if (rc == 0 && !names_console(image))
		rc = append(&words, strdup("console=ttyS0,115200"), err);
	for (size_t i = 0; rc == 0 && i < image->cmdline.count; i++)
		rc = append(&words, strdup(image->cmdline.items[i]), err);
	if (rc < 0)
		return rc;
	*ret = words;
	words = (struct mkv_strings){0};
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/config/settings/settings.h"
#include "builder/evidence/contract/contract_internal.h"

static bool names_console(const struct mkv_image *image)
{
	for (size_t i = 0; i < image->cmdline.count; i++)
		if (strncmp(image->cmdline.items[i], "console=", 8) == 0)
			return true;
	return false;
}

/* Huge pages are allocated at boot: later, memory is fragmented. */
static int append_huge_pages(struct mkv_strings *words,
			     const struct mkv_recipe *recipe,
			     const struct mkv_image *image,
			     struct mkv_error *err)
{
	uint64_t pages = mkv_contract_huge_pages(recipe, image);
	char *size = NULL, *count = NULL;
	if (!pages)
		return 0;
	if (asprintf(&size, "hugepagesz=%lluM",
		     (unsigned long long)recipe->hypervisor.huge_page_bytes >>
			     20) < 0)
		return mkv_oom(err);
	int rc = mkv_strings_append(words, size, err);
	if (rc < 0)
		return rc;
	if (asprintf(&count, "hugepages=%llu", (unsigned long long)pages) < 0)
		return mkv_oom(err);
	return mkv_strings_append(words, count, err);
}

/* The receipt is printed on the console: on the screen and on the serial line,
 * which is last so that it becomes /dev/console. */
static int append_fixed(struct mkv_strings *words, char *root, bool consoles,
			struct mkv_error *err)
{
	int rc = mkv_strings_append(words, root, err);
	if (rc < 0)
		return rc;
	rc = mkv_strings_append(words, strdup("rw"), err);
	if (rc < 0 || !consoles)
		return rc;
	rc = mkv_strings_append(words, strdup("console=tty0"), err);
	return rc < 0 ? rc
		      : mkv_strings_append(words,
					   strdup("console=ttyS0,115200"), err);
}

static int append_settings(struct mkv_strings *words,
			   const struct mkv_recipe *recipe,
			   const struct mkv_image *image, struct mkv_error *err)
{
	struct mkv_promise promises[MKV_PROMISES_MAX];
	size_t count = mkv_settings_promised(recipe, image, promises);
	for (size_t i = 0; i < count; i++) {
		int rc = promises[i].word[0]
				 ? mkv_strings_append(
					   words, strdup(promises[i].word), err)
				 : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_contract_command_line(const struct mkv_recipe *recipe,
			      const struct mkv_image *image,
			      const uint8_t root_uuid[static 16],
			      struct mkv_strings *ret, struct mkv_error *err)
{
	auto_strings struct mkv_strings words = {0};
	char uuid[37];
	mkv_uuid_text(root_uuid, uuid);
	char *root = NULL;
	if (asprintf(&root, "root=UUID=%s", uuid) < 0)
		return mkv_oom(err);
	int rc = append_fixed(&words, root, !names_console(image), err);
	if (rc < 0)
		return rc;
	rc = append_huge_pages(&words, recipe, image, err);
	if (rc < 0)
		return rc;
	rc = append_settings(&words, recipe, image, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < image->cmdline.count; i++) {
		rc = mkv_strings_append(&words, strdup(image->cmdline.items[i]),
					err);
		if (rc < 0)
			return rc;
	}
	*ret = words;
	words = (struct mkv_strings){0};
	return 0;
}

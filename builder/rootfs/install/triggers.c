/* SPDX-License-Identifier: MIT */
/* Triggers of packages, deb-triggers(5), and dpkg's files of them below
 * /var/lib/dpkg/triggers: "File" holds interests in paths, "NAME" those in an
 * explicit trigger, "Unincorp" the triggers that are activated and not yet
 * processed. */
#include "builder/rootfs/install/rootfs_internal.h"

#include <string.h>

#include "lib/grow.h"

#define TRIGGERS "/var/lib/dpkg/triggers"

static int add_interest(struct mkv_rootfs *rootfs, size_t package,
			const char *name, size_t length, bool noawait,
			struct mkv_error *err)
{
	struct mkv_interest *interest =
		mkv_grow(&rootfs->interests, &rootfs->n_interests);
	if (!interest)
		return mkv_oom(err);
	*interest =
		(struct mkv_interest){strndup(name, length), package, noawait};
	return interest->name ? 0 : mkv_oom(err);
}

static void activate_trigger(struct mkv_rootfs *rootfs, const char *name)
{
	auto_buf struct mkv_buf line = {0};
	mkv_buf_printf(&line, "%s -\n", name);
	if (line.failed || !line.data)
		return;
	if (!rootfs->activated.size ||
	    !strstr(rootfs->activated.data, line.data))
		mkv_buf_add(&rootfs->activated, line.data, line.size);
}

/* True for a path and for a word that is safe as the name of a file below
 * triggers/. */
static bool is_trigger_name(const char *name, size_t length)
{
	if (length == 0 || length > 250 || name[0] == '.')
		return false;
	if (name[0] == '/')
		return true;
	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] >= 127 || name[i] == '/')
			return false;
	return true;
}

/* The next word between blanks; empty at the end of the line. */
static const char *next_word(const char **at, const char *end,
			     size_t *ret_length)
{
	const char *word = *at;
	while (word < end && (*word == ' ' || *word == '\t'))
		word++;
	const char *word_end = word;
	while (word_end < end && *word_end != ' ' && *word_end != '\t')
		word_end++;
	*at = word_end;
	*ret_length = (size_t)(word_end - word);
	return word;
}

/* One line of deb-triggers(5). */
static int read_directive(struct mkv_rootfs *rootfs, size_t number,
			  const char *line, size_t length,
			  struct mkv_error *err)
{
	const char *end = memchr(line, '#', length), *at = line;
	end = end ? end : line + length;
	size_t word_length, name_length;
	const char *word = next_word(&at, end, &word_length);
	const char *name = next_word(&at, end, &name_length);
	if (word_length == 0)
		return 0;
	if (!is_trigger_name(name, name_length))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"triggers: malformed trigger name");
	if (strncmp(word, "interest", 8) == 0)
		return add_interest(
			rootfs, number, name, name_length,
			word_length > 8 && memcmp(word + 8, "-noawait", 8) == 0,
			err);
	if (strncmp(word, "activate", 8) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"triggers: unknown directive");
	auto_free char *own = strndup(name, name_length);
	if (!own)
		return mkv_oom(err);
	activate_trigger(rootfs, own);
	return 0;
}

int mkv_triggers_read(struct mkv_rootfs *rootfs, size_t number,
		      struct mkv_error *err)
{
	const struct mkv_control_file *file =
		mkv_package_file(&rootfs->packages[number], "triggers");
	const char *at = file ? file->data : "";
	while (*at) {
		size_t length = strcspn(at, "\n");
		int rc = read_directive(rootfs, number, at, length, err);
		if (rc < 0)
			return rc;
		at += length + (at[length] == '\n');
	}
	return 0;
}

/* The explicit triggers of earlier phases are in their files already; File is
 * written as a whole. */
static int write_interests(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_buf struct mkv_buf paths = {0};
	for (size_t i = 0; i < rootfs->n_interests; i++) {
		const struct mkv_interest *interest = &rootfs->interests[i];
		char name[MKV_INFO_NAME_SIZE], path[600], line[400];
		mkv_database_info_name(&rootfs->packages[interest->package],
				       name);
		const char *mode = interest->noawait ? "/noawait" : "";
		if (interest->name[0] == '/') {
			mkv_buf_printf(&paths, "%s %s%s\n", interest->name,
				       name, mode);
			continue;
		}
		if (rootfs->phases[interest->package] < rootfs->phase)
			continue;
		(void)snprintf(path, sizeof(path), TRIGGERS "/%s",
			       interest->name);
		int used = snprintf(line, sizeof(line), "%s%s\n", name, mode);
		int rc = mkv_rootfs_append(rootfs->root_fd, path, line,
					   (size_t)used, err);
		if (rc < 0)
			return rc;
	}
	int rc = mkv_buf_check(&paths, err);
	return rc < 0 ? rc
		      : mkv_rootfs_write(rootfs->root_fd, TRIGGERS "/File",
					 0644, paths.data, paths.size, err);
}

void mkv_triggers_touch_path(struct mkv_rootfs *rootfs, const char *path)
{
	for (size_t i = 0; i < rootfs->n_interests; i++) {
		const struct mkv_interest *interest = &rootfs->interests[i];
		size_t length = strlen(interest->name);
		if (interest->name[0] == '/' &&
		    rootfs->phases[interest->package] < rootfs->phase &&
		    strncmp(path, interest->name, length) == 0 &&
		    (path[length] == '/' || path[length] == '\0'))
			activate_trigger(rootfs, interest->name);
	}
}

int mkv_triggers_write(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	int rc = write_interests(rootfs, err);
	if (rc < 0)
		return rc;
	rc = mkv_buf_check(&rootfs->activated, err);
	if (rc < 0)
		return rc;
	rc = mkv_rootfs_append(rootfs->root_fd, TRIGGERS "/Unincorp",
			       rootfs->activated.data, rootfs->activated.size,
			       err);
	rootfs->activated.size = 0;
	return rc;
}

void mkv_triggers_done(struct mkv_rootfs *rootfs)
{
	for (size_t i = 0; i < rootfs->n_interests; i++)
		free(rootfs->interests[i].name);
	free(rootfs->interests);
	mkv_buf_done(&rootfs->activated);
}

/* SPDX-License-Identifier: MIT */
#include "builder/config/units/units.h"

#include <ctype.h>
#include <string.h>

#include "lib/buf.h"

enum { UNIT_BYTES_MAX = 1 << 20, ALSO_DEPTH_MAX = 8 };

#define ETC "/etc/systemd/system"

static int enable_unit(struct mkv_tree *tree, const char *unit, unsigned depth,
		       struct mkv_error *err);

static bool is_unit_name(const char *unit)
{
	static const char *const types[] = {".service", ".socket", ".target",
					    ".timer",	".mount",  ".path",
					    ".slice"};
	if (!unit[0] || strlen(unit) > 250)
		return false;
	for (const char *c = unit; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(":-_.\\@", *c))
			return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size_t length = strlen(types[i]);
		size_t all = strlen(unit);
		if (all > length && strcmp(unit + all - length, types[i]) == 0)
			return true;
	}
	return false;
}

/* "a@b.service" becomes "a@.service"; other names are copied. */
static char *template_of(const char *unit)
{
	const char *at = strchr(unit, '@');
	const char *dot = strrchr(unit, '.');
	if (!at || !dot || dot < at)
		return strdup(unit);
	char *name = NULL;
	if (asprintf(&name, "%.*s%s", (int)(at + 1 - unit), unit, dot) < 0)
		return NULL;
	return name;
}

/* Finds the unit's file and its path; /etc precedes the packages' directories.
 */
static struct mkv_inode *find_unit(const struct mkv_tree *tree,
				   const char *name, char ret[static 512])
{
	static const char *const places[] = {ETC, "/usr/lib/systemd/system",
					     "/lib/systemd/system"};
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		(void)snprintf(ret, 512, "%s/%s", places[i], name);
		struct mkv_inode *inode = mkv_tree_lookup(tree, ret);
		if (inode && inode->content)
			return inode;
	}
	return NULL;
}

static int link_into(struct mkv_tree *tree, const char *directory,
		     const char *suffix, const char *name, const char *target,
		     struct mkv_error *err)
{
	auto_free char *path = NULL;
	int used = directory ? asprintf(&path, ETC "/%s%s/%s", directory,
					suffix, name)
			     : asprintf(&path, ETC "/%s", name);
	if (used < 0)
		return mkv_oom(err);
	return mkv_tree_put_symlink(tree, path, target, err);
}

/* One setting of [Install]; its value is a list of unit names. */
static int install_setting(struct mkv_tree *tree, const char *unit,
			   const char *file, const char *key, char *value,
			   unsigned depth, struct mkv_error *err)
{
	char *rest = value;
	for (char *word; (word = strsep(&rest, " \t"));) {
		int rc = 0;
		if (!word[0])
			continue;
		if (!is_unit_name(word))
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"'%s': %s= names '%s', which is not "
					"the name of a systemd unit",
					file, key, word);
		if (strcmp(key, "WantedBy") == 0)
			rc = link_into(tree, word, ".wants", unit, file, err);
		else if (strcmp(key, "RequiredBy") == 0)
			rc = link_into(tree, word, ".requires", unit, file,
				       err);
		else if (strcmp(key, "Alias") == 0 && strcmp(word, unit) != 0)
			rc = link_into(tree, NULL, "", word, file, err);
		else if (strcmp(key, "Also") == 0)
			rc = enable_unit(tree, word, depth + 1, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int install_lines(struct mkv_tree *tree, const char *unit,
			 const char *file, char *text, unsigned depth,
			 struct mkv_error *err)
{
	bool inside = false, found = false;
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		line += strspn(line, " \t\r");
		if (line[0] == '[') {
			inside = strncmp(line, "[Install]", 9) == 0;
			found = found || inside;
			continue;
		}
		char *equals = strchr(line, '=');
		if (!inside || !equals || line[0] == '#' || line[0] == ';')
			continue;
		*equals = '\0';
		line[strcspn(line, " \t")] = '\0';
		equals[1 + strcspn(equals + 1, "\r")] = '\0';
		int rc = install_setting(tree, unit, file, line, equals + 1,
					 depth, err);
		if (rc < 0)
			return rc;
	}
	if (!found)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"can't enable unit '%s': it has no [Install] "
				"section",
				unit);
	return 0;
}

static int enable_unit(struct mkv_tree *tree, const char *unit, unsigned depth,
		       struct mkv_error *err)
{
	if (!is_unit_name(unit))
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"'%s' is not the name of a systemd unit", unit);
	if (depth > ALSO_DEPTH_MAX)
		return 0; /* units may name each other in Also= */
	auto_free char *name = template_of(unit);
	if (!name)
		return mkv_oom(err);
	char file[512];
	struct mkv_inode *inode = find_unit(tree, name, file);
	if (!inode)
		return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
				"can't enable unit '%s': it is missing in the "
				"image: add its package to the recipe",
				name);
	uint64_t size = mkv_content_size(inode->content);
	if (size > UNIT_BYTES_MAX)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"'%s' is too large (at most %d bytes)", file,
				UNIT_BYTES_MAX);
	auto_free char *text = calloc(1, size + 1);
	if (!text)
		return mkv_oom(err);
	int rc = mkv_content_read(inode->content, 0, text, size, err);
	if (rc < 0)
		return rc;
	return install_lines(tree, unit, file, text, depth, err);
}

int mkv_unit_enable(struct mkv_tree *tree, const char *unit,
		    struct mkv_error *err)
{
	return enable_unit(tree, unit, 0, err);
}

int mkv_unit_mask(struct mkv_tree *tree, const char *unit,
		  struct mkv_error *err)
{
	if (!is_unit_name(unit))
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"'%s' is not the name of a systemd unit", unit);
	return link_into(tree, NULL, "", unit, "/dev/null", err);
}

static bool is_masked(const struct mkv_inode *inode)
{
	return S_ISLNK(inode->mode) && strcmp(inode->target, "/dev/null") == 0;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t all = strlen(name), length = strlen(suffix);
	return all > length && strcmp(name + all - length, suffix) == 0;
}

static bool is_dependency_directory(const struct mkv_tree_entry *entry)
{
	return S_ISDIR(entry->inode->mode) &&
	       (has_suffix(entry->name, ".wants") ||
		has_suffix(entry->name, ".requires"));
}

static int list_links(const struct mkv_tree_entry *directory,
		      const struct mkv_strings *masked,
		      struct mkv_strings *into, struct mkv_error *err)
{
	size_t count = 0;
	const struct mkv_tree_entry *links =
		mkv_inode_children(directory->inode, &count);
	for (size_t i = 0; i < count; i++) {
		if (!S_ISLNK(links[i].inode->mode) ||
		    mkv_strings_has(masked, links[i].name))
			continue;
		int rc = mkv_strings_insert(into, links[i].name, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_units_list(const struct mkv_tree *tree, struct mkv_strings *ret_enabled,
		   struct mkv_strings *ret_masked, struct mkv_error *err)
{
	auto_strings struct mkv_strings enabled = {0}, masked = {0};
	const struct mkv_inode *etc = mkv_tree_lookup(tree, ETC);
	size_t count = 0;
	const struct mkv_tree_entry *entries =
		etc ? mkv_inode_children(etc, &count) : NULL;
	for (size_t i = 0; i < count; i++) {
		if (!is_masked(entries[i].inode))
			continue;
		int rc = mkv_strings_insert(&masked, entries[i].name, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_dependency_directory(&entries[i]))
			continue;
		int rc = list_links(&entries[i], &masked, &enabled, err);
		if (rc < 0)
			return rc;
	}
	*ret_enabled = enabled;
	*ret_masked = masked;
	enabled = masked = (struct mkv_strings){0};
	return 0;
}

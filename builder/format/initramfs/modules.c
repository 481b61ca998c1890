/* SPDX-License-Identifier: MIT */
#include "builder/format/initramfs/modules.h"

#include <string.h>

enum {
	LIST_MAX_BYTES = 16 << 20,
	MODULE_NAME_SIZE = 64,
	MODULES_MAX = 20000,
};

void mkv_modules_done(struct mkv_modules *modules)
{
	for (size_t i = 0; i < modules->count; i++) {
		free(modules->items[i].name);
		free(modules->items[i].path);
	}
	free(modules->items);
	free(modules->order);
	free(modules->directory);
	free(modules->dep);
	free(modules->softdep);
	free(modules->alias);
	free(modules->builtin);
	*modules = (struct mkv_modules)MKV_MODULES_INIT;
}

/* Reads one of depmod's lists as text; a missing list is "". */
static int read_list(const struct mkv_tree *root, const char *directory,
		     const char *name, char **ret, struct mkv_error *err)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	const struct mkv_inode *inode = mkv_tree_lookup(root, path);
	uint64_t size =
		inode && inode->content ? mkv_content_size(inode->content) : 0;
	if (size > LIST_MAX_BYTES)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"'%s' is larger than 16 MiB", path);
	auto_free char *text = calloc(1, (size_t)size + 1);
	if (!text)
		return mkv_oom(err);
	int rc = size ? mkv_content_read(inode->content, 0, text, (size_t)size,
					 err)
		      : 0;
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	*ret = mkv_take(text);
	return 0;
}

/* "kernel/fs/ext4/ext4.ko.xz" -> "ext4"; false when the path is no module's. */
static bool parse_name(const char *path, size_t length,
		       char ret[MODULE_NAME_SIZE])
{
	size_t start = length;
	while (start > 0 && path[start - 1] != '/')
		start--;
	size_t used = 0;
	for (size_t i = start; i < length && used < MODULE_NAME_SIZE - 1; i++) {
		if (length - i >= 3 && memcmp(path + i, ".ko", 3) == 0) {
			ret[used] = '\0';
			return used > 0;
		}
		ret[used++] = path[i] == '-' ? '_' : path[i];
	}
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct mkv_module *)a)->name,
		      ((const struct mkv_module *)b)->name);
}

static struct mkv_module *find_module(const struct mkv_modules *modules,
				      const char *name)
{
	struct mkv_module key = {.name = (char *)name};
	return modules->count ? bsearch(&key, modules->items, modules->count,
					sizeof(key), compare_names)
			      : NULL;
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;
	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* Lines of modules.dep: "PATH: DEPENDENCY ...". */
static int index_modules(struct mkv_modules *modules, struct mkv_error *err)
{
	size_t n_lines = count_lines(modules->dep);
	if (n_lines > MODULES_MAX)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"modules.dep has more than 20000 lines");
	modules->items = calloc(n_lines, sizeof(*modules->items));
	modules->order = calloc(n_lines, sizeof(*modules->order));
	if (!modules->items || !modules->order)
		return mkv_oom(err);
	char *save = NULL;
	for (char *line = strtok_r(modules->dep, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');
		char name[MODULE_NAME_SIZE];
		if (!colon || !parse_name(line, (size_t)(colon - line), name))
			return mkv_fail(
				err, MKV_FAILED, EBADMSG,
				"modules.dep: line without a module: '%.200s'",
				line);
		struct mkv_module *module = &modules->items[modules->count++];
		module->name = strdup(name);
		module->dependencies = colon + 1;
		if (asprintf(&module->path, "%s/%.*s", modules->directory,
			     (int)(colon - line), line) < 0)
			module->path = NULL;
		if (!module->name || !module->path)
			return mkv_oom(err);
	}
	qsort(modules->items, modules->count, sizeof(*modules->items),
	      compare_names);
	return 0;
}

static int find_directory(const struct mkv_tree *root, const char *release,
			  char **ret, struct mkv_error *err)
{
	static const char *const places[] = {"/usr/lib/modules",
					     "/lib/modules"};
	if (!*release || strchr(release, '/') || strlen(release) > 128)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not a kernel release", release);
	for (size_t i = 0; i < 2; i++) {
		char path[256];
		(void)snprintf(path, sizeof(path), "%s/%s", places[i], release);
		const struct mkv_inode *inode = mkv_tree_lookup(root, path);
		if (!inode || !S_ISDIR(inode->mode))
			continue;
		*ret = strdup(path);
		return *ret ? 0 : mkv_oom(err);
	}
	return mkv_fail(err, MKV_FAILED, ENOENT,
			"the image has no modules of kernel %s", release);
}

static int read_lists(const struct mkv_tree *root, struct mkv_modules *modules,
		      struct mkv_error *err)
{
	const struct {
		const char *name;
		char **ret;
	} lists[] = {
		{"modules.dep", &modules->dep},
		{"modules.softdep", &modules->softdep},
		{"modules.alias", &modules->alias},
		{"modules.builtin", &modules->builtin},
	};
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		int rc = read_list(root, modules->directory, lists[i].name,
				   lists[i].ret, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_modules_load(const struct mkv_tree *root, const char *kernel_release,
		     struct mkv_modules *ret, struct mkv_error *err)
{
	auto_modules struct mkv_modules modules = MKV_MODULES_INIT;
	int rc = find_directory(root, kernel_release, &modules.directory, err);
	if (rc < 0)
		return rc;
	rc = read_lists(root, &modules, err);
	if (rc < 0)
		return rc;
	rc = index_modules(&modules, err);
	if (rc < 0)
		return rc;
	*ret = modules;
	modules = MKV_MODULES_INIT;
	return 0;
}

/* Copies the next word of a line into `ret`; NULL at the end of the line. */
static const char *next_word(const char **at, char ret[MODULE_NAME_SIZE])
{
	const char *start = *at + strspn(*at, " \t");
	size_t length = strcspn(start, " \t\n");
	*at = start + length;
	if (!length)
		return NULL;
	size_t kept =
		length < MODULE_NAME_SIZE - 1 ? length : MODULE_NAME_SIZE - 1;
	memcpy(ret, start, kept);
	ret[kept] = '\0';
	return ret;
}

/* Chooses the module of this name or else all modules with this alias. */
static void choose_by_alias(struct mkv_modules *modules, const char *name)
{
	char plain[MODULE_NAME_SIZE] = "";
	for (size_t i = 0; name[i] && i < MODULE_NAME_SIZE - 1; i++)
		plain[i] = name[i] == '-' ? '_' : name[i];
	if (mkv_modules_choose(modules, plain))
		return;
	for (const char *line = modules->alias; *line;) {
		const char *at = line;
		char word[MODULE_NAME_SIZE];
		if (next_word(&at, word) && strcmp(word, "alias") == 0 &&
		    next_word(&at, word) && strcmp(word, name) == 0 &&
		    next_word(&at, word))
			(void)mkv_modules_choose(modules, word);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

/* "softdep NAME pre: A B post: C" */
static void choose_soft(struct mkv_modules *modules, const char *name)
{
	for (const char *line = modules->softdep; *line;) {
		const char *at = line;
		char word[MODULE_NAME_SIZE];
		if (next_word(&at, word) && strcmp(word, "softdep") == 0 &&
		    next_word(&at, word) && strcmp(word, name) == 0 &&
		    next_word(&at, word) && strcmp(word, "pre:") == 0)
			while (next_word(&at, word) &&
			       strcmp(word, "post:") != 0)
				choose_by_alias(modules, word);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

/* depmod lists direct dependencies first, so the last one is loaded first. */
static void choose_dependencies(struct mkv_modules *modules, const char *list)
{
	size_t end = strlen(list);
	while (end > 0) {
		size_t start = end;
		while (start > 0 && list[start - 1] != ' ')
			start--;
		char name[MODULE_NAME_SIZE];
		if (parse_name(list + start, end - start, name))
			(void)mkv_modules_choose(modules, name);
		end = start ? start - 1 : 0;
	}
}

bool mkv_modules_choose(struct mkv_modules *modules, const char *name)
{
	struct mkv_module *module = find_module(modules, name);
	if (!module)
		return false;
	if (module->chosen)
		return true;
	module->chosen = true; /* first: soft dependencies may form a cycle */
	choose_dependencies(modules, module->dependencies);
	choose_soft(modules, module->name);
	modules->order[modules->n_order++] = module;
	return true;
}

bool mkv_modules_is_builtin(const struct mkv_modules *modules, const char *name)
{
	for (const char *line = modules->builtin; *line;) {
		size_t length = strcspn(line, "\n");
		char found[MODULE_NAME_SIZE];
		if (parse_name(line, length, found) && strcmp(found, name) == 0)
			return true;
		line += length;
		line += *line == '\n';
	}
	return false;
}

void mkv_modules_reset(struct mkv_modules *modules)
{
	for (size_t i = 0; i < modules->count; i++)
		modules->items[i].chosen = false;
	modules->n_order = 0;
}

/* "alias PATTERN MODULE" */
void mkv_modules_add_aliases(const struct mkv_modules *modules,
			     const char *name, struct mkv_buf *into)
{
	static const char head[] = "alias ";
	for (const char *line = modules->alias; *line;) {
		size_t length = strcspn(line, "\n");
		const char *end = memrchr(line, ' ', length);
		size_t start = sizeof(head) - 1;
		if (end && strncmp(line, head, start) == 0 &&
		    end > line + start &&
		    (size_t)(line + length - end - 1) == strlen(name) &&
		    strncmp(end + 1, name, strlen(name)) == 0)
			mkv_buf_printf(into, " %.*s",
				       (int)(end - line - (ssize_t)start),
				       line + start);
		line += length;
		line += *line == '\n';
	}
}

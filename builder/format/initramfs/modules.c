/* SPDX-License-Identifier: MIT */
#include "builder/format/initramfs/modules.h"

#include <string.h>

enum {
	LIST_MOST_BYTES = 16 << 20,
	NAME_MOST = 64,
	MODULES_MOST = 20000,
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

/* One of depmod's lists as text; a missing one is "". */
static int read_list(const struct mkv_tree *root, const char *directory,
		     const char *name, char **ret, struct mkv_error *err)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	const struct mkv_inode *inode = mkv_tree_lookup(root, path);
	uint64_t size =
		inode && inode->content ? mkv_content_size(inode->content) : 0;
	if (size > LIST_MOST_BYTES)
		return mkv_fail(err, MKV_FAILED, EFBIG, "'%s' is too big",
				path);
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

/* "kernel/fs/ext4/ext4.ko.xz" -> "ext4"; false when it isn't a module's. */
static bool name_of(const char *path, size_t length, char ret[NAME_MOST])
{
	size_t start = length;
	while (start > 0 && path[start - 1] != '/')
		start--;
	size_t used = 0;
	for (size_t i = start; i < length && used < NAME_MOST - 1; i++) {
		if (length - i >= 3 && memcmp(path + i, ".ko", 3) == 0) {
			ret[used] = '\0';
			return used > 0;
		}
		ret[used++] = path[i] == '-' ? '_' : path[i];
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct mkv_module *)a)->name,
		      ((const struct mkv_module *)b)->name);
}

static struct mkv_module *find(const struct mkv_modules *modules,
			       const char *name)
{
	struct mkv_module key = {.name = (char *)name};
	return modules->count ? bsearch(&key, modules->items, modules->count,
					sizeof(key), by_name)
			      : NULL;
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;
	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* modules.dep: "PATH: DEPENDENCY ..." a line. */
static int index_modules(struct mkv_modules *modules, struct mkv_error *err)
{
	size_t most = count_lines(modules->dep);
	if (most > MODULES_MOST)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"modules.dep has too many lines");
	modules->items = calloc(most, sizeof(*modules->items));
	modules->order = calloc(most, sizeof(*modules->order));
	if (!modules->items || !modules->order)
		return mkv_oom(err);
	char *save = NULL;
	for (char *line = strtok_r(modules->dep, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');
		char name[NAME_MOST];
		if (!colon || !name_of(line, (size_t)(colon - line), name))
			return mkv_fail(err, MKV_FAILED, EBADMSG,
					"modules.dep: no module in '%.200s'",
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
	qsort(modules->items, modules->count, sizeof(*modules->items), by_name);
	return 0;
}

static int load(const struct mkv_tree *root, const char *release,
		struct mkv_modules *modules, struct mkv_error *err)
{
	static const char *const places[] = {"/usr/lib/modules",
					     "/lib/modules"};
	if (!*release || strchr(release, '/') || strlen(release) > 128)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is no kernel release", release);
	for (size_t i = 0; i < 2 && !modules->directory; i++) {
		char path[256];
		(void)snprintf(path, sizeof(path), "%s/%s", places[i], release);
		const struct mkv_inode *inode = mkv_tree_lookup(root, path);
		if (inode && S_ISDIR(inode->mode)) {
			modules->directory = strdup(path);
			if (!modules->directory)
				return mkv_oom(err);
		}
	}
	if (!modules->directory)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"the image has no modules of kernel %s",
				release);
	const char *directory = modules->directory;
	int rc = read_list(root, directory, "modules.dep", &modules->dep, err);
	if (rc == 0)
		rc = read_list(root, directory, "modules.softdep",
			       &modules->softdep, err);
	if (rc == 0)
		rc = read_list(root, directory, "modules.alias",
			       &modules->alias, err);
	if (rc == 0)
		rc = read_list(root, directory, "modules.builtin",
			       &modules->builtin, err);
	if (rc == 0)
		rc = index_modules(modules, err);
	return rc;
}

int mkv_modules_load(const struct mkv_tree *root, const char *kernel_release,
		     struct mkv_modules *ret, struct mkv_error *err)
{
	struct mkv_modules modules = MKV_MODULES_INIT;
	int rc = load(root, kernel_release, &modules, err);
	if (rc < 0) {
		mkv_modules_done(&modules);
		return rc;
	}
	*ret = modules;
	return 0;
}

/* The next word of a line; NULL at its end. Copies it into `ret`. */
static const char *next_word(const char **at, char ret[NAME_MOST])
{
	const char *start = *at + strspn(*at, " \t");
	size_t length = strcspn(start, " \t\n");
	*at = start + length;
	if (!length)
		return NULL;
	size_t kept = length < NAME_MOST - 1 ? length : NAME_MOST - 1;
	memcpy(ret, start, kept);
	ret[kept] = '\0';
	return ret;
}

/* A name or, where there is no such module, an alias for several. */
static void choose_by_alias(struct mkv_modules *modules, const char *name)
{
	char plain[NAME_MOST] = "";
	for (size_t i = 0; name[i] && i < NAME_MOST - 1; i++)
		plain[i] = name[i] == '-' ? '_' : name[i];
	if (mkv_modules_choose(modules, plain))
		return;
	for (const char *line = modules->alias; *line;) {
		const char *at = line;
		char word[NAME_MOST];
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
		char word[NAME_MOST];
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

/* depmod lists the nearest dependency first: the last one is loaded first. */
static void choose_dependencies(struct mkv_modules *modules, const char *list)
{
	size_t end = strlen(list);
	while (end > 0) {
		size_t start = end;
		while (start > 0 && list[start - 1] != ' ')
			start--;
		char name[NAME_MOST];
		if (name_of(list + start, end - start, name))
			(void)mkv_modules_choose(modules, name);
		end = start ? start - 1 : 0;
	}
}

bool mkv_modules_choose(struct mkv_modules *modules, const char *name)
{
	struct mkv_module *module = find(modules, name);
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
		char found[NAME_MOST];
		if (name_of(line, length, found) && strcmp(found, name) == 0)
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

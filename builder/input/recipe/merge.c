/* SPDX-License-Identifier: MIT */
/* Merges the files of `include:` and `hardware: NAME` into one tree. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/input/recipe/load.h"
#include "lib/io.h"

/* The chain of files that are being read, innermost first. */
struct including {
	const struct mkv_recipe_source *source;
	const struct including *outer;
	unsigned depth;
};

static size_t directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Removes "./", "//" and "name/.." from a path, without accessing the file
 * system. */
static char *normalise_path(struct mkv_arena *arena, const char *path)
{
	char *out = mkv_arena_text(arena, path, strlen(path));
	if (!out)
		return NULL;
	size_t root = path[0] == '/', used = root, floor = root;
	for (const char *at = path + root; *at;) {
		size_t length = strcspn(at, "/");
		const char *next = at + length + (at[length] == '/');
		bool up = length == 2 && memcmp(at, "..", 2) == 0;
		if (up && used > floor) {
			used--; /* the slash */
			while (used > floor && out[used - 1] != '/')
				used--;
		} else if (length > 0 && !(length == 1 && *at == '.') &&
			   !(up && root)) {
			memmove(out + used, at, length);
			used += length;
			out[used++] = '/';
			if (up)
				floor = used;
		}
		at = next;
	}
	out[used > root ? used - 1 : used] = '\0';
	return out;
}

/* Opens a regular file. O_NONBLOCK: opening a FIFO or a device must not block.
 */
static int open_regular(const char *path, struct stat *st)
{
	auto_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, st) < 0)
		return -errno;
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	return mkv_take_fd(&fd);
}

static struct mkv_recipe_source *new_source(struct mkv_recipe_loader *load,
					    const char *path,
					    const char *relative,
					    const struct stat *st)
{
	struct mkv_arena *arena = &load->arena;
	struct mkv_recipe_source *source = &load->sources[load->n_sources];
	*source = (struct mkv_recipe_source){
		.open_path = mkv_arena_text(arena, path, strlen(path)),
		.shown = normalise_path(arena, path),
		.directory =
			mkv_arena_text(arena, path, directory_length(path)),
		.relative = normalise_path(arena, relative),
		.device = st->st_dev,
		.inode = st->st_ino,
	};
	if (arena->failed)
		return NULL;
	load->n_sources++;
	return source;
}

static struct mkv_node *parse_file(struct mkv_recipe_loader *load, int fd,
				   const struct mkv_recipe_source *source)
{
	auto_buf struct mkv_buf buf = {0};
	struct mkv_error err = {0};
	struct mkv_mark start = {source->shown, 1, 1};
	int rc = mkv_read_fd(fd, MKV_RECIPE_FILE_BYTES_MAX, &buf, &err);
	if (rc == -EFBIG)
		mkv_diagnose(
			load, start,
			"the file is larger than 256 KiB, the maximum for a "
			"recipe");
	else if (rc < 0)
		mkv_diagnose(load, start, "%s", err.message);
	if (rc < 0)
		return NULL;
	return mkv_yaml_parse(load, source->shown, source->directory,
			      buf.data ? buf.data : "", buf.size);
}

static struct mkv_node *read_file(struct mkv_recipe_loader *load,
				  struct mkv_mark requester, const char *path,
				  const char *relative,
				  const struct including *outer);

static const struct mkv_recipe_source *
source_of(const struct mkv_recipe_loader *load, const struct mkv_node *node)
{
	for (size_t i = 0; i < load->n_sources; i++)
		if (load->sources[i].directory == node->directory)
			return &load->sources[i];
	return &load->sources[0];
}

/* Resolves a path that `node` names: as a path to open, and relative to the
 * recipe. */
static bool resolve_path(struct mkv_recipe_loader *load,
			 const struct mkv_node *node, const char *name,
			 char **path, char **relative)
{
	const struct mkv_recipe_source *source = source_of(load, node);
	*path = mkv_arena_printf(&load->arena, "%s%s", source->directory, name);
	*relative = mkv_arena_printf(&load->arena, "%.*s%s",
				     (int)directory_length(source->relative),
				     source->relative, name);
	return *path && *relative;
}

/* Merges mappings key by key; `over` replaces any other value of `base`. */
static struct mkv_node *merge_nodes(struct mkv_recipe_loader *load,
				    struct mkv_node *base,
				    struct mkv_node *over)
{
	if (!base || base->kind != MKV_NODE_MAP || over->kind != MKV_NODE_MAP)
		return over;
	struct mkv_node *both = mkv_arena_take(&load->arena, sizeof(*both));
	struct mkv_node_entry *entries = mkv_arena_take(
		&load->arena, (base->count + over->count) * sizeof(*entries));
	if (!both || !entries)
		return over;
	*both = *over;
	both->entries = entries;
	both->count = base->count;
	if (base->count)
		memcpy(entries, base->entries, base->count * sizeof(*entries));
	for (size_t i = 0; i < over->count; i++) {
		const struct mkv_node_entry *new = &over->entries[i];
		struct mkv_node_entry *old = mkv_node_find(base, new->key);
		if (!old) {
			entries[both->count++] = *new;
			continue;
		}
		size_t at = (size_t)(old - base->entries);
		entries[at] = *new;
		entries[at].value = merge_nodes(load, old->value, new->value);
	}
	return both;
}

static struct mkv_node *include_one(struct mkv_recipe_loader *load,
				    const struct mkv_node *node,
				    const struct including *including)
{
	char *path, *relative;
	if (node->kind != MKV_NODE_SCALAR ||
	    mkv_node_scalar(node) != MKV_SCALAR_TEXT || !*node->text) {
		mkv_diagnose(load, node->mark,
			     "'include' must be a file path or a list of file "
			     "paths, not %s",
			     mkv_node_describe(&load->arena, node));
		return NULL;
	}
	if (node->text[0] == '/') {
		mkv_diagnose(load, node->mark,
			     "'include' must be relative to this file, not the "
			     "absolute path '%.200s'",
			     node->text);
		return NULL;
	}
	if (!resolve_path(load, node, node->text, &path, &relative))
		return NULL;
	return read_file(load, node->mark, path, relative, including);
}

/* Merges the included files in order, then the file itself over them. */
static struct mkv_node *apply_includes(struct mkv_recipe_loader *load,
				       struct mkv_node *root,
				       const struct including *including)
{
	struct mkv_node_entry *entry = mkv_node_find(root, "include");
	if (!entry)
		return root;
	struct mkv_node *list = entry->value;
	struct mkv_node *base = NULL, *one;
	bool is_list = list->kind == MKV_NODE_LIST;
	for (size_t i = 0; i < (is_list ? list->count : 1); i++) {
		one = is_list ? list->entries[i].value : list;
		one = include_one(load, one, including);
		if (one)
			base = merge_nodes(load, base, one);
		else
			load->partial = true;
	}
	*entry = root->entries[--root->count];
	return merge_nodes(load, base, root);
}

static bool refuse_include(struct mkv_recipe_loader *load,
			   struct mkv_mark requester, const struct stat *st,
			   const struct including *outer)
{
	for (const struct including *i = outer; i; i = i->outer) {
		if (i->source->device != st->st_dev ||
		    i->source->inode != st->st_ino)
			continue;
		mkv_diagnose(load, requester,
			     "include cycle: '%s' is already being read",
			     i->source->shown);
		return true;
	}
	if (outer && outer->depth + 1 > MKV_RECIPE_INCLUDE_DEPTH_MAX) {
		mkv_diagnose(load, requester,
			     "includes are nested deeper than 8 levels");
		return true;
	}
	if (load->n_sources == MKV_RECIPE_FILES_MAX) {
		mkv_diagnose(load, requester,
			     "too many files: a recipe consists of at most 32");
		return true;
	}
	return false;
}

static struct mkv_node *read_file(struct mkv_recipe_loader *load,
				  struct mkv_mark requester, const char *path,
				  const char *relative,
				  const struct including *outer)
{
	struct stat st;
	auto_fd int fd = open_regular(path, &st);
	if (fd < 0) {
		mkv_diagnose(load, requester, "can't read '%s': %s", path,
			     fd == -EINVAL ? "not a regular file"
					   : strerror(-fd));
		return NULL;
	}
	if (refuse_include(load, requester, &st, outer))
		return NULL;
	struct mkv_recipe_source *source =
		new_source(load, path, relative, &st);
	if (!source)
		return NULL;
	struct mkv_node *root = parse_file(load, fd, source);
	if (!root)
		return NULL;
	if (root->kind != MKV_NODE_MAP) {
		mkv_diagnose(load, root->mark,
			     "a recipe must be a mapping, not %s",
			     mkv_node_describe(&load->arena, root));
		return NULL;
	}
	struct including self = {source, outer, outer ? outer->depth + 1 : 0};
	return apply_includes(load, root, &self);
}

/* The path of hardware/NAME.yaml in the directory of the file that contains
 * `name`, or in its parent directory. Adds a diagnostic if it does not exist.
 */
static bool find_hardware(struct mkv_recipe_loader *load,
			  const struct mkv_node *name, char **path,
			  char **relative)
{
	static const char *const places[] = {"hardware/", "../hardware/"};
	if (strchr(name->text, '/') || name->text[0] == '.') {
		mkv_diagnose(load, name->mark,
			     "'hardware' must be a name, not the path '%.200s'",
			     name->text);
		return false;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const char *file = mkv_arena_printf(&load->arena, "%s%s.yaml",
						    places[i], name->text);
		if (!file || !resolve_path(load, name, file, path, relative))
			return false;
		if (access(*path, F_OK) == 0)
			return true;
	}
	mkv_diagnose(load, name->mark,
		     "'hardware' names '%.60s', but hardware/%.60s.yaml exists "
		     "neither in this file's directory nor in its parent "
		     "directory",
		     name->text, name->text);
	return false;
}

/* NULL after a diagnostic. */
static struct mkv_node *read_hardware(struct mkv_recipe_loader *load,
				      const struct mkv_node *name)
{
	char *path, *relative;
	if (!find_hardware(load, name, &path, &relative))
		return NULL;
	struct mkv_node *file =
		read_file(load, name->mark, path, relative, NULL);
	const struct mkv_node *own = mkv_node_at(file, "name");
	if (own && own->kind == MKV_NODE_SCALAR &&
	    strcmp(own->text, name->text) != 0)
		mkv_diagnose(load, own->mark,
			     "'name' must be the file's base name, '%.60s'",
			     name->text);
	return file;
}

/* Replaces the name in `hardware: NAME` by the content of its file. */
static void resolve_hardware(struct mkv_recipe_loader *load,
			     struct mkv_node *root)
{
	struct mkv_node_entry *entry = mkv_node_find(root, "hardware");
	if (!entry || entry->value->kind != MKV_NODE_SCALAR ||
	    mkv_node_scalar(entry->value) != MKV_SCALAR_TEXT)
		return;
	/* NULL: reported, ignored from here on */
	entry->value = read_hardware(load, entry->value);
	if (!entry->value)
		load->partial = true;
}

struct mkv_node *mkv_merge_load(struct mkv_recipe_loader *load,
				const char *path)
{
	char *shown = normalise_path(&load->arena, path);
	if (!shown)
		return NULL;
	const char *base = path + directory_length(path);
	struct mkv_mark start = {shown, 1, 1};
	struct mkv_node *root = read_file(load, start, path, base, NULL);
	if (root)
		resolve_hardware(load, root);
	return root;
}

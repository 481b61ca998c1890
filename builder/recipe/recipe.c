/* SPDX-License-Identifier: MIT */
#include "builder/recipe/recipe.h"

#include <string.h>

#include "builder/recipe/load.h"
#include "builder/recipe/schema.h"

const char *mkv_scenario_name(enum mkv_scenario scenario)
{
	static const char *const names[] = {
		[MKV_BARE_METAL] = "bare-metal",
		[MKV_DOCKER] = "docker",
		[MKV_KVM] = "kvm",
		[MKV_KVM_DOCKER] = "kvm-docker",
	};
	return names[scenario];
}

const char *mkv_platform_name(enum mkv_image_platform platform)
{
	static const char *const names[] = {
		[MKV_ON_METAL] = "metal",
		[MKV_ON_KVM] = "guest",
		[MKV_HYPERVISOR] = "hypervisor",
	};
	return names[platform];
}

static void release_rows(const struct mkv_table *table, void *base);

static void release_items(const struct mkv_row *row, void *base)
{
	struct mkv_items *list = (void *)((char *)base + row->offset);
	const struct mkv_table *table = row->table;
	for (size_t i = 0; i < list->count; i++) {
		char *item = (char *)list->items + i * table->size;
		if (row->kind == MKV_ROW_MAP)
			free(*(char **)(void *)(item + table->key_offset));
		release_rows(table, item);
	}
	free(list->items);
}

static void release_strings(struct mkv_strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

static void release_rows(const struct mkv_table *table, void *base)
{
	for (const struct mkv_row *row = table->rows; row->kind; row++) {
		void *member = (char *)base + row->offset;
		switch (row->kind) {
		case MKV_ROW_TEXT:
		case MKV_ROW_ANY:
			free(*(char **)member);
			break;
		case MKV_ROW_LIST:
			release_strings(member);
			break;
		case MKV_ROW_OBJECT:
			release_rows(row->table, base);
			break;
		case MKV_ROW_OBJECTS:
		case MKV_ROW_MAP:
			release_items(row, base);
			break;
		default:
			break;
		}
	}
}

void mkv_recipe_free(struct mkv_recipe *recipe)
{
	if (!recipe)
		return;
	release_rows(&mkv_schema_recipe, recipe);
	release_strings(&recipe->files);
	free(recipe->path);
	free(recipe->sha256);
	free(recipe);
}

static void load_done(struct mkv_load *load)
{
	mkv_arena_done(&load->arena);
}
#define auto_load __attribute__((cleanup(load_done)))

/* What a value that wasn't given follows from another's. */
static void derive(struct mkv_load *load, const struct mkv_node *root,
		   struct mkv_recipe *recipe)
{
	bool kvm = recipe->scenario == MKV_KVM ||
		   recipe->scenario == MKV_KVM_DOCKER;
	const struct mkv_node *images = mkv_node_at(root, "images");
	for (size_t i = 0; i < recipe->n_images; i++) {
		struct mkv_image *image = &recipe->images[i];
		const struct mkv_entry *node =
			image->name ? mkv_node_find(images, image->name) : NULL;
		if (kvm && node && !mkv_node_find(node->value, "platform"))
			image->platform = MKV_ON_KVM;
	}
	for (size_t i = 0; i < recipe->n_hosts; i++) {
		struct mkv_host *host = &recipe->hosts[i];
		if (!host->role && host->name)
			host->role = strdup(host->name);
		load->failed = load->failed || !host->role;
	}
}

static int compare_caches(const void *a, const void *b)
{
	const struct mkv_cache *x = a, *y = b;
	int order = (x->level > y->level) - (x->level < y->level);
	return order || !x->type || !y->type ? order : strcmp(x->type, y->type);
}

static void sort(struct mkv_recipe *recipe)
{
	if (recipe->hardware.n_caches > 1)
		qsort(recipe->hardware.caches, recipe->hardware.n_caches,
		      sizeof(struct mkv_cache), compare_caches);
}

static int keep_files(const struct mkv_load *load, const char *path,
		      struct mkv_recipe *recipe, struct mkv_error *err)
{
	struct mkv_strings *files = &recipe->files;
	recipe->path = strdup(path);
	files->items = calloc(load->n_sources, sizeof(*files->items));
	if (!files->items || !recipe->path)
		return mkv_oom(err);
	for (size_t i = 0; i < load->n_sources; i++) {
		const char *name = load->sources[i].relative;
		bool twice = false;
		for (size_t j = 0; j < files->count; j++)
			twice = twice || strcmp(files->items[j], name) == 0;
		if (twice)
			continue;
		files->items[files->count] = strdup(name);
		if (!files->items[files->count])
			return mkv_oom(err);
		files->count++;
	}
	return 0;
}

static int summarise(const struct mkv_complaints *complaints, const char *path,
		     struct mkv_error *err)
{
	return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
			"recipe '%s': %zu mistake%s", path, complaints->count,
			complaints->count == 1 ? "" : "s");
}

int mkv_recipe_load(const char *path, struct mkv_recipe **ret,
		    struct mkv_complaints *complaints, struct mkv_error *err)
{
	auto_load struct mkv_load load = {.complaints = complaints};
	auto_recipe struct mkv_recipe *recipe = calloc(1, sizeof(*recipe));
	if (!recipe)
		return mkv_oom(err);
	*complaints = (struct mkv_complaints){0};
	struct mkv_node *root = mkv_merge_load(&load, path);
	if (root) {
		mkv_fill_recipe(&load, root, recipe);
		derive(&load, root, recipe);
		sort(recipe);
	}
	if (root && !load.failed && !load.arena.failed)
		mkv_cross_check(&load, root, recipe);
	if (load.failed || load.arena.failed)
		return mkv_oom(err);
	mkv_complaints_sort(complaints);
	if (complaints->count > 0)
		return summarise(complaints, path, err);
	int rc = keep_files(&load, path, recipe, err);
	if (rc == 0)
		rc = mkv_canonical_digest(recipe, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(recipe);
	return 0;
}
